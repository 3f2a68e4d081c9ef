/**
 * Which user is at the other end of a loopback connection. Linux lists every TCP socket with its user in /proc/net; other systems do
 * not, and neither do some sandboxes.
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { isIPv4 } from "node:net";

/** `uid`: a user of this machine. `elsewhere`: another machine or container. */
export type Peer = { kind: "user"; uid: number } | { kind: "elsewhere" | "closed" | "unknown" };

type Ends = {
  remoteAddress?: string | undefined;
  remotePort?: number | undefined;
  localAddress?: string | undefined;
  localPort?: number | undefined;
};

/** Never rejects. */
export async function peerOf(socket: Ends): Promise<Peer> {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  if (!remoteAddress || !remotePort || !localAddress || !localPort) return { kind: "closed" };
  const remote = { address: remoteAddress, port: remotePort };
  const local = { address: localAddress, port: localPort };
  const text = await (isIPv4(plain(remoteAddress)) ? ipv4 : ipv6).read();
  const peer = findPeer(text, remote, local);
  if (text === undefined || peer.kind === "user" || !isIPv4(plain(remoteAddress))) return peer;
  // Each of the two ends may be a socket for IPv6 with an address of IPv4.
  return findPeer(text + ((await ipv6.read()) ?? ""), remote, local);
}

/** Whether the peer is a program of this process's user. */
export function isOwn(peer: Peer): boolean {
  return peer.kind === "user" && peer.uid === process.geteuid?.();
}

/** Whether this system shows whose a connection is; another one asks every program for a key. */
export const SHOWS_PEERS = process.platform === "linux" && existsSync("/proc/net/tcp");

type End = { address: string; port: number };

/** The peer of a connection from `remote` to `local`, by the texts of /proc/net/tcp and tcp6; undefined if they can't be read. */
export function findPeer(text: string | undefined, remote: End, local: End): Peer {
  if (text === undefined) return { kind: "unknown" };
  for (const [theirs, ours] of spellings(remote, local)) {
    const at = text.indexOf(` ${theirs} ${ours} `);
    if (at === -1) continue;
    // The columns after the addresses: state, queues, timer, retransmits, uid, timeout, inode.
    const fields = text.slice(at, text.indexOf("\n", at)).trim().split(/ +/).slice(2);
    // A socket that its program has closed has no inode, and its row names root.
    if (fields[6] === "0") return { kind: "closed" };
    return { kind: "user", uid: Number(fields[4]) };
  }
  // This end of the connection has a row of its own; without it the system hides sockets.
  const isShown = spellings(local, remote).some(([ours, theirs]) =>
    text.includes(` ${ours} ${theirs} `),
  );
  if (!isShown) return { kind: "unknown" };
  return { kind: isLoopback(remote.address) ? "closed" : "elsewhere" };
}

/** Whether a user other than this one and root listens on a port. False where the system does not show that. */
export async function isForeignPort(port: number): Promise<boolean> {
  const texts = await Promise.all([ipv4.read(), ipv6.read()]);
  return hasForeignListener(texts.join("\n"), port, process.geteuid?.() ?? 0);
}

/** The same, by the texts of /proc/net/tcp and tcp6. */
export function hasForeignListener(text: string, port: number, own: number): boolean {
  const end = `:${hex([port >> 8, port & 0xff])}`;
  return text.split("\n").some((row) => {
    const [, address = "", , state, , , , uid] = row.trim().split(/ +/);
    const isListening = state === "0A" && address.endsWith(end);
    return isListening && Number(uid) !== own && Number(uid) !== 0;
  });
}

function isLoopback(address: string): boolean {
  return address === "::1" || /^(::ffff:)?127\./.test(address);
}

/** How the two ends may stand in a row: a connection over IPv4 may have been made by a socket for IPv6. */
function spellings(one: End, other: End): [string, string][] {
  const [a, b] = [one, other].map(({ address, port }) => ({
    address: plain(address),
    port: port.toString(16).toUpperCase().padStart(4, "0"),
  })) as [{ address: string; port: string }, { address: string; port: string }]; // as: two in, two out
  if (!isIPv4(a.address)) {
    return [[`${hexOfIpv6(a.address)}:${a.port}`, `${hexOfIpv6(b.address)}:${b.port}`]];
  }
  const [from, to] = [hexOfIpv4(a.address), hexOfIpv4(b.address)];
  return [
    [`${from}:${a.port}`, `${to}:${b.port}`],
    [`${MAPPED}${from}:${a.port}`, `${MAPPED}${to}:${b.port}`],
  ];
}

/** An address of IPv4 as such, also where a socket for IPv6 has it. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/, "");
}

const MAPPED = "0000000000000000FFFF0000";

/** Four bytes as the kernel prints them: a number in the machine's byte order, little-endian on all that run Node. */
function hexOfIpv4(address: string): string {
  return hex(address.split(".").map(Number).reverse());
}

function hexOfIpv6(address: string): string {
  const bytes = bytes6(address);
  return [0, 4, 8, 12].map((from) => hex(bytes.slice(from, from + 4).reverse())).join("");
}

function bytes6(address: string): number[] {
  const [before = "", after] = address.replace(/%.*/, "").split("::");
  const groups = (text: string) => (text === "" ? [] : text.split(":"));
  const [first, last] = [groups(before), groups(after ?? "")];
  const zeros = Array<string>(Math.max(0, 8 - first.length - last.length)).fill("0");
  return [...first, ...zeros, ...last].flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

function hex(bytes: number[]): string {
  return bytes
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("")
    .toUpperCase();
}

/**
 * One of the kernel's tables. A read takes milliseconds where the kernel has many buckets, so one serves all connections that wait,
 * except those that were made after it began: it may lack them.
 */
class Table {
  readonly #path: string;
  #running: Promise<string | undefined> | undefined;
  #next: Promise<string | undefined> | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** Its text; undefined if this system has no such table or hides it. */
  read(): Promise<string | undefined> {
    if (this.#running === undefined) return this.#start();
    this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      return this.#start();
    });
    return this.#next;
  }

  #start(): Promise<string | undefined> {
    const running = SHOWS_PEERS ? readFile(this.#path, "latin1").catch(() => undefined) : NOTHING;
    this.#running = running;
    return running.finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
  }
}

const NOTHING = Promise.resolve(undefined);
const ipv4 = new Table("/proc/net/tcp");
const ipv6 = new Table("/proc/net/tcp6");
