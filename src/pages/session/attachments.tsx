/** The attachments of a session: a panel of all, thumbnails on the time axis, and the latest image at a moment. */
import { Hono } from "hono";
import type { AccessEnv } from "../../access/access.ts";
import type { AttachmentRow } from "../../core/answers/attachments.ts";
import type { Summary } from "../../core/answers/summary.ts";
import { isAwaited, isShownImage, REFUSAL_TEXTS } from "../../core/attachments/attachments.ts";
import { isOngoing } from "../../core/session/duration.ts";
import { formatBytes, formatCount } from "../../core/text/format.ts";
import { nameLabel, plainText } from "../../core/text/recorded-text.ts";
import { download } from "../../session/attachments/download.ts";
import type { SessionClient } from "../../session/client.ts";
import { REFRESH_MS, TIMELINE_THUMBNAILS } from "../limits.ts";
import { guarded } from "../ui/panel.tsx";
import { Moment, momentPath } from "../ui/time.tsx";
import { sessionIn } from "./view.ts";

export function AttachmentsPanel({ session }: { session: SessionClient }) {
  return guarded("the attachments", async () => {
    const [{ items: attachments }, summary] = await Promise.all([
      session.ask("attachments"),
      session.ask("summary"),
    ]);
    return (
      <section
        id="attachments"
        class="panel attachments"
        aria-labelledby="attachments-title"
        // Most sessions have none; the panel appears with the first.
        hidden={attachments.length === 0}
        data-awaited={attachments.some(isAwaited) ? "" : undefined}
        hx-get={`/sessions/${session.id}/attachments`}
        hx-trigger={`live-attachments from:body throttle:${REFRESH_MS.attachments}ms`}
        hx-swap="outerMorph"
        hx-sync="this:queue last"
      >
        <header class="panel-header">
          <h2 id="attachments-title">Attachments</h2>
          <span class="count">{formatCount(attachments.length, "file")}</span>
        </header>
        <ul class="attachment-list">
          {attachments.map((attachment) => (
            <Item id={session.id} attachment={attachment} summary={summary} />
          ))}
        </ul>
      </section>
    );
  });
}

type ItemProps = { id: string; attachment: AttachmentRow; summary: Summary };

function Item({ id, attachment, summary }: ItemProps) {
  const { name, type, size, at, complete } = attachment;
  return (
    <li class="attachment" id={`attachment-${attachment.seq}`}>
      {isShown(attachment) ? (
        <a class="thumbnail" href={contentPath(id, attachment)}>
          <Thumbnail id={id} attachment={attachment} width={96} height={64} />
        </a>
      ) : (
        <span class="thumbnail"></span>
      )}
      <div class="attachment-text">
        <strong class="attachment-name">{nameLabel(name, "unnamed")}</strong>
        <span class="quiet">
          <Moment id={id} at={at} /> {plainText(type)}, {formatBytes(size)}
        </span>
        <Status attachment={attachment} isOver={!isOngoing(summary.verdict.status)} />
      </div>
      {complete ? (
        <a class="tool" href={contentPath(id, attachment)} download>
          Download
        </a>
      ) : null}
    </li>
  );
}

/** What is missing of an attachment; nothing if it is there. */
function Status({ attachment, isOver }: { attachment: AttachmentRow; isOver: boolean }) {
  const { size, complete, received_bytes: received, refused, damaged } = attachment;
  if (refused !== undefined)
    return <span class="attachment-missing">Refused: {REFUSAL_TEXTS[refused]}</span>;
  if (damaged) return <span class="attachment-missing">A part of it is damaged</span>;
  if (complete) return null;
  return (
    <span class={isOver ? "attachment-missing" : "quiet"}>
      {isOver ? "Has not arrived" : "Arriving"}: {formatBytes(received)} of {formatBytes(size)}{" "}
      <progress max={size} value={received} aria-label="Received" />
    </span>
  );
}

/** Whether pages show it: an image that is there. Its bytes are checked when it is fetched. */
function isShown(attachment: AttachmentRow): boolean {
  return attachment.complete && !attachment.damaged && isShownImage(attachment);
}

function contentPath(id: string, { id: attachment }: AttachmentRow): string {
  return `/sessions/${encodeURIComponent(id)}/attachments/${encodeURIComponent(attachment)}`;
}

type ThumbnailProps = { id: string; attachment: AttachmentRow; width: number; height: number };

/** Fetched when it is scrolled into view. Its size does not depend on the image, so nothing moves when that arrives. */
function Thumbnail({ id, attachment, width, height }: ThumbnailProps) {
  return (
    <img
      src={contentPath(id, attachment)}
      alt={nameLabel(attachment.name, "Image")}
      width={width}
      height={height}
      loading="lazy"
      decoding="async"
    />
  );
}

type RowProps = { id: string; attachments: AttachmentRow[]; from: number; to: number };

/** A row of the timeline: a mark for each attachment in view, and thumbnails of images where there is room for one. */
export function AttachmentsOnAxis({ id, attachments, from, to }: RowProps) {
  if (attachments.length === 0) return null;
  const span = Math.max(1, to - from);
  const inView = attachments.filter(({ at }) => at >= from && at <= to);
  const share = (at: number) => (at - from) / span;
  const images = thumbnailsOf(inView.filter(isShown), share);
  const height = images.length > 0 ? THUMBNAIL.height : 10;
  return (
    <div class="row attachments-row" data-kind="attachments">
      <span class="row-name">
        Attachments
        <output class="row-count">{attachments.length}</output>
      </span>
      <svg
        class="row-plot"
        width="100%"
        height={height + 4}
        role="group"
        aria-label={`Attachments over time: ${inView.length} in view`}
      >
        {inView.map(({ at, name }) => (
          <rect
            class="attachment-mark"
            x={`${percent(share(at))}%`}
            y={height}
            width="2"
            height="4"
          >
            <title>{nameLabel(name, "unnamed")}</title>
          </rect>
        ))}
        {images.map((attachment) => (
          <svg
            class="on-axis"
            // It begins at its moment; the last ones end at theirs, so that they are not cut.
            x={`${percent(share(attachment.at) * (1 - THUMBNAIL.share))}%`}
            width={THUMBNAIL.width}
            height={THUMBNAIL.height}
          >
            <foreignObject width={THUMBNAIL.width} height={THUMBNAIL.height}>
              <a href={momentPath(id, attachment.at)} data-t={attachment.at}>
                <Thumbnail id={id} attachment={attachment} {...SIZE} />
              </a>
            </foreignObject>
          </svg>
        ))}
      </svg>
    </div>
  );
}

/** Pixels, and the share of the axis that one may cover: of a plot of 640 pixels. */
const THUMBNAIL = { width: 48, height: 32, share: 0.075 };
const SIZE = { width: THUMBNAIL.width, height: THUMBNAIL.height };

/** The images that do not cover each other, from the newest one back: that before a crash is always among them. */
function thumbnailsOf(images: AttachmentRow[], share: (at: number) => number): AttachmentRow[] {
  const chosen: AttachmentRow[] = [];
  let next = Infinity;
  for (const image of images.toSorted((a, b) => b.at - a.at)) {
    const x = share(image.at);
    if (chosen.length >= TIMELINE_THUMBNAILS || next - x < THUMBNAIL.share) continue;
    chosen.push(image);
    next = x;
  }
  return chosen.reverse();
}

const percent = (share: number): number => Number((share * 100).toFixed(3));

/** The latest image at or before a moment: what was on the screen. */
export function ImageAt({
  id,
  attachments,
  at,
}: {
  id: string;
  attachments: AttachmentRow[];
  at: number;
}) {
  const image = attachments
    .filter((each) => each.at <= at && isShown(each))
    .reduce<AttachmentRow | undefined>(
      (latest, each) => (latest === undefined || each.at >= latest.at ? each : latest),
      undefined,
    );
  if (image === undefined) return null;
  return (
    <figure class="moment-image" id="moment-image">
      <a href={contentPath(id, image)} download>
        <Thumbnail id={id} attachment={image} width={320} height={180} />
      </a>
      <figcaption>
        {nameLabel(image.name, "Image")}, <Moment id={id} at={image.at} />
      </figcaption>
    </figure>
  );
}

export const attachmentRoutes = new Hono<AccessEnv>();

attachmentRoutes.get("/sessions/:id/attachments", (c) =>
  c.html(<AttachmentsPanel session={sessionIn(c)} />),
);

attachmentRoutes.get("/sessions/:id/attachments/:attachment", (c) =>
  download(c, sessionIn(c), c.req.param("attachment")),
);
