/** A table of the settings, which scrolls sideways where it is wider than the page. */
import type { PropsWithChildren } from "hono/jsx";

type TableProps = PropsWithChildren<{
  label: string;
  columns: string[];
  /** Names the last column, of buttons, for screen readers. */
  action?: string;
}>;

export function SettingsTable({ label, columns, action, children }: TableProps) {
  return (
    <div class="scroller" tabindex={0} role="group" aria-label={label}>
      <table class="plain-table">
        <thead>
          <tr>
            {columns.map((column) => (
              <th scope="col">{column}</th>
            ))}
            {action === undefined ? null : (
              <th scope="col">
                <span class="hidden">{action}</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
