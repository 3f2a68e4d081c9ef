import type { AttachmentRefusal } from "../attachments/attachments.ts";

/** An attachment, and how much of its content has arrived. */
export type AttachmentRow = {
  /** Of its op. */
  seq: number;
  id: string;
  at: number;
  name: string;
  type: string;
  size: number;
  sha256: string;
  group?: string;
  /** All of it is there, and matched its checksum. */
  complete: boolean;
  received_bytes: number;
  /** Why its content is not taken. */
  refused?: AttachmentRefusal;
  /** A part of the content is missing in the storage, although all of it was there. */
  damaged?: true;
};
