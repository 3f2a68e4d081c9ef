/** Sessions of programs with files: they take attachments from bytes and from paths. */
import type { FileContent } from "../lane/attachment-file.ts";
import { Session } from "../session/session.ts";
import type { AttachOptions } from "./attachment.ts";

export abstract class AttachingSession extends Session {
  /**
   * Attaches a file or bytes: a screenshot, a log, a saved game. At most 10 MiB each; 50 MiB and 200 of them a session. The content is
   * copied before this returns, and sent in the background. It may be called while the program crashes: from a listener of
   * `uncaughtExceptionMonitor`, for example. What cannot be attached is counted, and an event names it.
   * @param name Its name on the session's page and when it is downloaded, with an extension ("screenshot.png"). At most 256 characters.
   * @param content Bytes, or the path of a regular file (a string or a `file:` URL).
   * @param options `type`: the media type. Default: by the name's extension, else `application/octet-stream`.
   */
  abstract attach(name: string, content: FileContent, options?: AttachOptions): void;
}

/** A session that records nothing, attachments neither. */
export class SilentSession extends AttachingSession {
  override attach(): void {}
}
