"""Attaches what the commands on its input ask for, and prints each name once the call has returned. As attach.mjs."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../clients/python"))

import datacat  # noqa: E402

session = datacat.open(product="attach")


def show(line):
    os.write(1, ("%s\n" % line).encode("ascii"))


def attach(number, size):
    session.attach("%d.bin" % number, bytearray([number % 256]) * size)
    show(number)


show(session.session_id)
while True:
    command = sys.stdin.readline().split()
    if not command:
        break
    if command[0] == "loop":
        number = 0
        while True:
            number += 1
            attach(number, number * 7919 % 60000)
    if command[0] == "attach":
        for number in range(1, int(command[1]) + 1):
            attach(number, int(command[2]))
    if command[0] == "end":
        session.end()
    show(command[0])
