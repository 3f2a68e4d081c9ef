/**
 * Who sends a request to the daemon. Every program on the machine reaches its port, so what belongs to the daemon's owner needs the token
 * of `daemon.json`, or a connection that the system shows to be the owner's (peer.ts).
 */
import { timingSafeEqual } from "node:crypto";
import type { Socket } from "node:net";
import { isOwn, type Peer, peerOf } from "../peer.ts";

/** Whose a session of 1.x's API is: a user by uid, or a program outside of this machine. Undefined: the daemon's owner. */
export type Registrant = number | "elsewhere" | undefined;

/** The peers of open connections: a socket's user never changes. */
const known = new WeakMap<Socket, Promise<Peer>>();

export class Caller {
  readonly #socket: Socket;
  readonly #hasToken: boolean;

  constructor(socket: Socket, authorization: string | undefined, token: string) {
    this.#socket = socket;
    this.#hasToken = isSame(authorization ?? "", `Bearer ${token}`);
  }

  /** Whether the caller has the token, or is a program of the daemon's user. */
  async isOwner(): Promise<boolean> {
    return this.#hasToken || isOwn(await this.#peer());
  }

  /** Whether the connection came to an address that the owner's settings open to programs outside of this machine. */
  async isElsewhere(): Promise<boolean> {
    return (await this.#peer()).kind === "elsewhere";
  }

  /** Whose the sessions are that the caller registers, and may use. "none": the caller may use no session. */
  async registrant(): Promise<Registrant | "none"> {
    if (this.#hasToken) return undefined;
    const peer = await this.#peer();
    // Where the system does not show users, it is the session's id that only its program has.
    if (isOwn(peer) || peer.kind === "unknown") return undefined;
    if (peer.kind === "user") return peer.uid;
    return peer.kind === "elsewhere" ? "elsewhere" : "none";
  }

  #peer(): Promise<Peer> {
    let peer = known.get(this.#socket);
    if (!peer) {
      peer = peerOf(this.#socket);
      known.set(this.#socket, peer);
    }
    return peer;
  }
}

/** Why a caller is refused what is the owner's. */
export const REFUSAL =
  "This needs the daemon's token, which is in daemon.json of its owner's Datacat folder.";

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
