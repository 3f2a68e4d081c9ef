/** A session that records nothing: switched off, or nothing works here. */
import { newId } from "./id.ts";
import { Recorder } from "./recorder.ts";
import { Session } from "./session.ts";

export function silent(url: string, id: string = newId(Date.now())): Session {
  const recorder = new Recorder({ write() {} }, Date.now, true);
  recorder.finish(); // from here on every call returns at once
  return new Session(id, url, recorder, {
    flush: () => Promise.resolve(),
    close() {},
    waiting: () => 0,
    losses: () => ({}),
  });
}
