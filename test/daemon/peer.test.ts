/** Whose a loopback connection is. */
import { createServer, type Socket } from "node:net";
import { expect, test } from "vitest";
import {
  findPeer,
  hasForeignListener,
  isOwn,
  type Peer,
  peerOf,
  SHOWS_PEERS,
} from "../../daemon/peer.ts";
import { asRoot, asSecondUser, SECOND_UID } from "../second-user.ts";

const HEAD =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
const row = (from: string, to: string, uid: number, inode: number) =>
  `   1: ${from} ${to} 01 00000000:00000000 00:00000000 00000000 ${String(uid).padStart(5)}        0 ${inode} 1 0000000000000000 20 4 30 10 -1\n`;
const V6 = "00000000000000000000000001000000";
const MAPPED = "0000000000000000FFFF00000100007F";

test.each<[what: string, text: string | undefined, address: string, peer: Peer]>([
  ["a program's socket", row("0100007F:C350", "0100007F:1F90", 1000, 7), "127.0.0.1", uid(1000)],
  ["root's", row("0100007F:C350", "0100007F:1F90", 0, 7), "127.0.0.1", uid(0)],
  ["a closed one", row("0100007F:C350", "0100007F:1F90", 0, 0), "127.0.0.1", { kind: "closed" }],
  ["one for IPv6", row(`${V6}:C350`, `${V6}:1F90`, 1000, 7), "::1", uid(1000)],
  ["one for both", row(`${MAPPED}:C350`, `${MAPPED}:1F90`, 1000, 7), "127.0.0.1", uid(1000)],
  ["in Node's spelling", row("0100007F:C350", "0100007F:1F90", 9, 7), "::ffff:127.0.0.1", uid(9)],
  ["no row of it", row("0100007F:1F90", "0100007F:C350", 9, 7), "127.0.0.1", { kind: "closed" }],
  ["a hidden table", "", "127.0.0.1", { kind: "unknown" }],
  ["no table", undefined, "127.0.0.1", { kind: "unknown" }],
  [
    "of another connection",
    row("0100007F:C351", "0100007F:1F90", 9, 7),
    "127.0.0.1",
    { kind: "unknown" },
  ],
])("the user of %s", (_, text, address, peer) => {
  const local = address === "::1" ? "::1" : "127.0.0.1";
  const found = findPeer(
    text === undefined ? undefined : HEAD + text,
    { address, port: 0xc350 },
    { address: local, port: 8080 },
  );
  expect(found).toEqual(peer);
});

test("a port is foreign if any user but this one and root listens on it", () => {
  const listener = (address: string, uid: number) =>
    row(address, "00000000:0000", uid, 7).replace(" 01 ", " 0A ");
  const foreign = (text: string) => hasForeignListener(HEAD + text, 8080, 1000);
  expect(foreign(listener("0100007F:1F90", 1000) + listener("00000000:1F90", 0))).toBe(false);
  expect(foreign(listener("0100007F:1F90", 1000) + listener(`${V6}:1F90`, 1001))).toBe(true);
  expect(foreign(listener("0100007F:1F91", 1001))).toBe(false);
  expect(foreign(row("0100007F:1F90", "0100007F:C350", 1001, 7)), "a connection").toBe(false);
});

test("a peer on another machine has no row here", () => {
  const text = HEAD + row("020011AC:1F90", "030011AC:C350", 0, 7);
  const ends = [
    { address: "172.17.0.3", port: 0xc350 },
    { address: "172.17.0.2", port: 8080 },
  ] as const;
  expect(findPeer(text, ...ends)).toEqual({ kind: "elsewhere" });
});

test.skipIf(!SHOWS_PEERS)(
  "a connection of this process is its user's own, on both addresses",
  async () => {
    for (const host of ["127.0.0.1", "::1"]) {
      const peers = await peersOf(host, (port) => connectOnce(port, host));
      expect(peers.map(isOwn)).toEqual([true]);
    }
  },
);

asRoot(SHOWS_PEERS)("a connection of a second user is not", async () => {
  const script = `require("node:net").connect(process.argv[1], "127.0.0.1").resume().on("close", () => process.exit())`;
  const peers = await peersOf("127.0.0.1", (port) => asSecondUser(script, String(port)));
  expect(peers).toEqual([uid(SECOND_UID)]);
});

function uid(number: number): Peer {
  return { kind: "user", uid: number };
}

/** The peers of the connections that `act` makes to a server, which closes each once its peer is found. */
async function peersOf(host: string, act: (port: number) => Promise<unknown>): Promise<Peer[]> {
  const peers: Peer[] = [];
  const server = createServer((socket: Socket) => {
    void peerOf(socket).then((peer) => {
      peers.push(peer);
      socket.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  await act(typeof address === "object" && address !== null ? address.port : 0);
  await new Promise((resolve) => server.close(resolve));
  return peers;
}

async function connectOnce(port: number, host: string): Promise<void> {
  const { connect } = await import("node:net");
  await new Promise((resolve) => connect(port, host).resume().on("close", resolve));
}
