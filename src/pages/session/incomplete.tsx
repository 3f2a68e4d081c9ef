/** What of the session cannot be read, as a banner, and what its index leaves out. */
import type { Summary } from "../../core/answers/summary.ts";
import { damageText, isUnreadable, leftOutTexts } from "../../core/session/incomplete.ts";

export function DamageBanner({ summary }: { summary: Summary }) {
  const { damaged } = summary;
  if (!damaged) return null;
  return (
    <div id="damage" class="failure" role="alert">
      <p>
        {isUnreadable(summary) ? (
          <>
            <strong>Nothing of this session's storage can be read.</strong> What the list of
            sessions has of it is shown.
          </>
        ) : (
          <>
            <strong>Part of this session's storage is damaged and cannot be read.</strong>{" "}
            Everything else is shown.
          </>
        )}
      </p>
      <ul>
        {damaged.map((part) => (
          <li>{damageText(part)}</li>
        ))}
      </ul>
      <p>
        Restore it from a backup of the server's data, or{" "}
        {isUnreadable(summary) ? "" : "export what is left and "}delete the session.
      </p>
    </div>
  );
}

/** Lists that reached their limit. The log has everything that they leave out, but for old changes of the status and writers. */
export function LeftOut({ summary }: { summary: Summary }) {
  const texts = leftOutTexts(summary.left_out);
  if (texts.length === 0) return null;
  return (
    <div id="left-out">
      <p class="quiet">
        These lists are incomplete, because they reached their limit; what they leave out was
        stored:
      </p>
      <ul class="losses">
        {texts.map((text) => (
          <li>{text}</li>
        ))}
      </ul>
    </div>
  );
}
