#!/usr/bin/env python3
"""The real mosquitto with our configuration and roles: who gets in, who may say what, what listens."""
import base64
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import mqtt5
import tap

FLOTILLA = sys.argv.pop(1)
ROOT = "flt/v1/main/"


def listening(pid):
    """Local addresses of the TCP sockets that a process listens on, as "ip:port" in hex."""
    inodes = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{fd}")
        except OSError:
            continue
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    found = []
    for name in ("tcp", "tcp6"):
        with open(f"/proc/net/{name}", encoding="ascii") as file:
            for line in file.readlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and fields[9] in inodes:
                    found.append(fields[1])
    return found


class Broker(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="flt-broker-")
        out = subprocess.run([FLOTILLA, "--dir", cls.dir, "-o", "json", "broker", "config"], check=True,
                             capture_output=True, text=True).stdout
        cls.port = json.loads(out)["port"]
        cls.process = subprocess.Popen([FLOTILLA, "--dir", cls.dir, "broker", "run", "--port", str(cls.port)],
                                       stderr=subprocess.DEVNULL)
        end = time.monotonic() + mqtt5.PATIENCE_S
        while True:
            try:
                cls.client("admin").close()
                return
            except (ConnectionError, FileNotFoundError):
                if time.monotonic() > end or cls.process.poll() is not None:
                    cls.tearDownClass()
                    raise
                time.sleep(0.02)

    @classmethod
    def tearDownClass(cls):
        cls.process.send_signal(signal.SIGTERM)
        cls.process.wait(60)
        shutil.rmtree(cls.dir)

    @classmethod
    def password(cls, name):
        with open(f"{cls.dir}/secrets/{name}.password", encoding="ascii") as file:
            return file.read().strip()

    @classmethod
    def client(cls, name, password=None):
        return mqtt5.Client(f"{cls.dir}/broker/mosquitto.sock", name, password or cls.password(name))

    def dynsec(self, controller, commands):
        controller.subscribe("$CONTROL/dynamic-security/v1/response")
        controller.publish("$CONTROL/dynamic-security/v1", json.dumps({"commands": commands}))
        answer = controller.receive()
        self.assertIsNotNone(answer)
        return json.loads(answer[1])["responses"]

    def test_nobody_gets_in_without_the_right_password(self):
        for name, password in ((None, None), ("admin", None), ("admin", "wrong"), ("nobody", "x")):
            with self.assertRaises(mqtt5.Refused):
                mqtt5.Client(self.port, name, password)
        mqtt5.Client(self.port, "admin", self.password("admin")).close()

    def test_only_loopback_listens(self):
        addresses = listening(self.process.pid)
        self.assertEqual(addresses, [f"0100007F:{self.port:04X}"])

    def test_a_node_speaks_only_below_itself(self):
        node = self.client("node-1")
        for topic in ("n/node-1/hb", "n/node-1/b/grid/state", "n/node-1/presence"):
            self.assertLess(node.publish(ROOT + topic), 128, topic)
        for topic in ("n/node-2/hb", "c/node-1/cmd", "ctl/state", "u/admin/req/status", "ui/digest/0"):
            self.assertEqual(node.publish(ROOT + topic), mqtt5.NOT_AUTHORISED, topic)
        self.assertEqual(node.publish("flt/v1/other/n/node-1/hb"), mqtt5.NOT_AUTHORISED)
        self.assertLess(node.subscribe(ROOT + "c/node-1/#"), 128)
        self.assertGreaterEqual(node.subscribe(ROOT + "c/node-2/#"), 128)
        self.assertGreaterEqual(node.subscribe("#"), 128)
        self.assertEqual(node.publish("$CONTROL/dynamic-security/v1", "{}"), mqtt5.NOT_AUTHORISED)
        node.close()

    def test_a_user_of_each_role_made_at_run_time_may_do_what_the_role_says(self):
        controller = self.client("controller")
        # What the controller sends is lib/roles.c's; the roles of the bootstrap show its form.
        with open(f"{self.dir}/broker/dynsec.json", encoding="utf-8") as file:
            roles = {role["rolename"]: role for role in json.load(file)["roles"]}
        text = json.dumps(roles["user-admin"]["acls"])
        viewer = [acl for acl in json.loads(text.replace("u/admin/", "u/eve/"))
                  if acl["acltype"] != "publishClientSend"]
        viewer.append({"acltype": "publishClientSend", "topic": ROOT + "u/eve/req/bot-ls", "allow": True})
        answers = self.dynsec(controller, [
            {"command": "createRole", "rolename": "user-eve", "acls": viewer},
            {"command": "createClient", "username": "eve", "password": "eve-password",
             "roles": [{"rolename": "user-eve"}]}])
        self.assertTrue(all("error" not in answer for answer in answers), answers)
        eve = self.client("eve", "eve-password")
        self.assertLess(eve.publish(ROOT + "u/eve/req/bot-ls"), 128)
        for verb in ("u/eve/req/bot-stop", "u/eve/req/halt", "u/admin/req/bot-ls", "c/node-1/cmd"):
            self.assertEqual(eve.publish(ROOT + verb), mqtt5.NOT_AUTHORISED, verb)
        self.assertLess(eve.subscribe(ROOT + "u/eve/res/#"), 128)
        self.assertGreaterEqual(eve.subscribe(ROOT + "u/admin/res/#"), 128)
        self.assertLess(eve.subscribe(ROOT + "ui/#"), 128)
        eve.close()
        controller.close()

    def test_an_admin_asks_and_only_the_controller_answers(self):
        controller, admin = self.client("controller"), self.client("admin")
        self.assertLess(controller.subscribe(ROOT + "u/+/req/#"), 128)
        self.assertLess(admin.subscribe(ROOT + "u/admin/res/#"), 128)
        self.assertEqual(admin.publish(ROOT + "u/admin/req/status", "question"), 0)
        self.assertEqual(controller.receive(), (ROOT + "u/admin/req/status", b"question"))
        self.assertEqual(controller.publish(ROOT + "u/admin/res/1", "answer"), 0)
        self.assertEqual(admin.receive(), (ROOT + "u/admin/res/1", b"answer"))
        self.assertEqual(admin.publish(ROOT + "u/admin/res/1", "forged"), mqtt5.NOT_AUTHORISED)
        self.assertEqual(admin.publish(ROOT + "c/node-1/cmd", "forged"), mqtt5.NOT_AUTHORISED)
        controller.close()
        admin.close()

    def test_the_password_file_is_what_mosquitto_ctrl_writes(self):
        path = os.path.join(self.dir, "reference.json")
        subprocess.run(["mosquitto_ctrl", "dynsec", "init", path, "ada", "pass"], check=True,
                       stdout=subprocess.DEVNULL)
        for file_name, name, password in ((path, "ada", "pass"),
                                          (f"{self.dir}/broker/dynsec.json", "admin", self.password("admin"))):
            with open(file_name, encoding="utf-8") as file:
                document = json.load(file)
            client = next(row for row in document["clients"] if row["username"] == name)
            salt = base64.b64decode(client["salt"])
            digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, client["iterations"])
            self.assertEqual((len(salt), client["iterations"]), (12, 101))
            self.assertEqual(base64.b64encode(digest).decode(), client["password"])

    def test_files_are_for_their_owner_alone(self):
        for folder, _, names in os.walk(self.dir):
            self.assertEqual(os.stat(folder).st_mode & 0o077, 0, folder)
            for name in names:
                if not name.startswith(("mosquitto.sock", "reference")):
                    self.assertEqual(os.stat(os.path.join(folder, name)).st_mode & 0o077, 0, name)

    def test_a_second_broker_on_the_folder_is_refused_and_changes_nothing(self):
        with open(f"{self.dir}/broker/mosquitto.conf", encoding="utf-8") as file:
            before = file.read()
        done = subprocess.run([FLOTILLA, "--dir", self.dir, "-o", "json", "broker", "run"],
                              capture_output=True, text=True, check=False)
        error = json.loads(done.stderr)["error"]
        self.assertEqual((done.returncode, error["code"], error["field"]), (4, "conflict", "dir"))
        with open(f"{self.dir}/broker/mosquitto.conf", encoding="utf-8") as file:
            self.assertEqual(file.read(), before)
        self.client("admin").close()


if __name__ == "__main__":
    tap.run(Broker)
