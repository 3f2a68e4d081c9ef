/** The values that differ between the last states of the sessions. */
import { nameLabel, plainText } from "../../core/text/recorded-text.ts";
import { formatCount, formatNumber } from "../../core/text/format.ts";
import { writePath } from "../../core/state/path.ts";
import type { Json, JsonObject } from "../../core/wire.ts";
import { short } from "../session/event.tsx";
import { Empty } from "../ui/empty.tsx";
import { BY_NAME } from "../ui/order.ts";
import { Panel } from "../ui/panel.tsx";
import { textOf } from "../ui/tree.tsx";
import type { Member } from "./member.tsx";
import { ComparedTable } from "./table.tsx";

export async function statesOf(members: Member[]) {
  const states = await Promise.all(
    members.map(async ({ session }) => flat((await session.ask("state")).state)),
  );
  const paths = [...new Set(states.flatMap((state) => [...state.keys()]))].toSorted(
    BY_NAME.compare,
  );
  const different = paths.filter(
    (path) => new Set(states.map((state) => state.get(path))).size > 1,
  );
  return (
    <Panel
      id="states"
      title="Differences in the last state"
      aside={
        <span class="quiet">
          {formatCount(different.length, "value")} of {formatNumber(paths.length)}
        </span>
      }
    >
      {different.length === 0 ? (
        <Empty title="The last states are equal" />
      ) : (
        <ComparedTable
          label="Differences in the last state"
          what="Path"
          noun="values"
          members={members}
          all={different}
          row={(path) => (
            <tr>
              <th scope="row">
                <code>{nameLabel(path)}</code>
              </th>
              {states.map((state) => {
                const value = state.get(path);
                return (
                  <td>
                    {value === undefined ? (
                      <span class="quiet">–</span>
                    ) : (
                      <code>{short(plainText(value))}</code>
                    )}
                  </td>
                );
              })}
            </tr>
          )}
        />
      )}
    </Panel>
  );
}

/** All leaves by path, as text. An empty object is a leaf. */
function flat(state: JsonObject): Map<string, string> {
  const leaves = new Map<string, string>();
  const walk = (value: Json, path: string[]) => {
    const isBranch = typeof value === "object" && value !== null && !Array.isArray(value);
    if (isBranch && Object.keys(value).length > 0) {
      for (const [key, inner] of Object.entries(value)) walk(inner, [...path, key]);
    } else if (path.length > 0) {
      leaves.set(writePath(path), textOf(value));
    }
  };
  walk(state, []);
  return leaves;
}
