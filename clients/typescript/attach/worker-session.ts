/** A session of a Worker. */
import { FLUSH_TIMEOUT_MS } from "../direct/limits.ts";
import { Session } from "../session/session.ts";
import { attachAfter, flushAttachments, type MemoryContent } from "./attach.ts";
import type { AttachOptions } from "./attachment.ts";

export class WorkerSession extends Session {
  /**
   * Attaches content, which `flush` sends. At most 4 MiB wait in memory at a time; content without room there is counted as lost. The
   * promise is resolved when the content is recorded, so that the session may end, and never rejected.
   * @param name Its name on the session's page and when it is downloaded, with an extension ("answer.json"). At most 256 characters.
   * @param content A copy of it is sent.
   * @param options `type`: the media type. Default: the Blob's, or by the name's extension, else `application/octet-stream`.
   */
  attach(name: string, content: MemoryContent, options?: AttachOptions): Promise<void> {
    return attachAfter(() => super.flush(), this, name, content, options);
  }

  override async flush(timeoutMs = FLUSH_TIMEOUT_MS): Promise<void> {
    const until = performance.now() + timeoutMs;
    await super.flush(timeoutMs);
    await flushAttachments(this, until - performance.now());
  }
}
