/* What the kernel knows of a TCP connection. Its own file, as <linux/tcp.h> and <netinet/tcp.h>,
 * which libwebsockets includes, cannot be included together. */
#pragma once
#include <stdint.h>

uint64_t flt_tcp_received(int fd); /* bytes since it was opened; 0: not known */
