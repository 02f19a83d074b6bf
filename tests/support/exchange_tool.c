/* `flotilla exchange` as a program of its own, so that codecs can be tested without the rest. */
#include "exchanges/cli.h"

int main(int argc, char **argv)
{
    return exchange_command(argc, argv);
}
