/** A JSON value as a tree of disclosures. Changes are marked, and branches with a change are open. */
import { nameLabel, plainText } from "../../core/text/recorded-text.ts";
import { Coloured } from "./coloured.tsx";
import { formatNumber } from "../../core/text/format.ts";
import type { Difference } from "../../core/answers/state.ts";
import type { Json } from "../../core/wire.ts";
import { TREE_MEMBERS, TREE_NODES, VALUE_TEXT } from "../limits.ts";

export type TreeLinks = {
  /** The address of a value's history. */
  history: (path: string[]) => string;
  /** The address of a branch that is too large for the page. */
  branch: (path: string[]) => string;
};

type TreeProps = {
  value: Json;
  differences: Difference[];
  links: TreeLinks;
  /** The path of this value in the whole state. */
  base?: string[] | undefined;
  /** All branches are open: the result of a search. */
  isOpen?: boolean | undefined;
};

/** Decreases with each node drawn. */
type Budget = { nodes: number };

export function Tree({ value, differences, links, base = [], isOpen = false }: TreeProps) {
  const marks = new Marks(differences, isOpen);
  return (
    <div class="tree">
      <Members
        value={value}
        path={base}
        marks={marks}
        links={links}
        budget={{ nodes: TREE_NODES }}
      />
    </div>
  );
}

/** The paths that changed, those that contain a change, and the removed keys by parent. */
class Marks {
  readonly kinds = new Map<string, Difference>();
  readonly inside = new Set<string>();
  readonly removed = new Map<string, Difference[]>();
  readonly isOpen: boolean;

  constructor(differences: Difference[], isOpen: boolean) {
    this.isOpen = isOpen;
    for (const difference of differences) {
      const { path } = difference;
      this.kinds.set(JSON.stringify(path), difference);
      for (let length = 0; length < path.length; length++) {
        this.inside.add(JSON.stringify(path.slice(0, length)));
      }
      if (difference.kind !== "removed") continue;
      const parent = JSON.stringify(path.slice(0, -1));
      this.removed.set(parent, [...(this.removed.get(parent) ?? []), difference]);
    }
  }
}

type NodeProps = { value: Json; path: string[]; marks: Marks; links: TreeLinks; budget: Budget };

function Members({ value, path, marks, links, budget }: NodeProps) {
  if (!isBranch(value)) return <Leaf value={value} />;
  const members: [string, Json][] = Array.isArray(value)
    ? value.map((item, index): [string, Json] => [String(index), item])
    : Object.entries(value);
  const shown = members.slice(0, TREE_MEMBERS);
  budget.nodes -= shown.length;
  const gone = marks.removed.get(JSON.stringify(path)) ?? [];
  return (
    <ul>
      {shown.map(([key, member]) => (
        <Node
          name={key}
          value={member}
          path={[...path, key]}
          marks={marks}
          links={links}
          budget={budget}
        />
      ))}
      {members.length > shown.length ? (
        <li class="more">
          <a href={links.branch(path)}>{formatNumber(members.length - shown.length)} more</a>
        </li>
      ) : null}
      {gone.map(({ path: removed, before }) => (
        <li class="node" data-change="removed">
          <a class="key" href={links.history(removed)} data-history>
            {keyLabel(removed.at(-1) ?? "")}
          </a>
          <del class="value">{before === undefined ? "" : plainText(textOf(before))}</del>
        </li>
      ))}
    </ul>
  );
}

function Node(props: NodeProps & { name: string }) {
  const { name, value, path, marks, links, budget } = props;
  const place = JSON.stringify(path);
  const change = marks.kinds.get(place);
  if (!isBranch(value) || size(value) === 0) {
    return (
      <li class="node" data-change={change?.kind}>
        <a class="key" href={links.history(path)} data-history>
          {keyLabel(name)}
        </a>
        {change?.kind === "changed" && change.before !== undefined ? (
          <del class="before">{plainText(textOf(change.before))}</del>
        ) : null}
        <Leaf value={value} />
      </li>
    );
  }
  const holdsChange = marks.inside.has(place) || change !== undefined;
  const isOpen = holdsChange || marks.isOpen;
  const isDrawn = holdsChange || (budget.nodes > 0 && path.length <= 8);
  return (
    <li class="node branch" data-change={change?.kind} data-inside={holdsChange ? "" : undefined}>
      <details open={isOpen || (path.length === 1 && size(value) <= 12 && budget.nodes > 0)}>
        <summary>
          <span class="key">{keyLabel(name)}</span>
          <span class="size">
            {Array.isArray(value)
              ? `[${formatNumber(size(value))}]`
              : `{${formatNumber(size(value))}}`}
          </span>
        </summary>
        {isDrawn ? (
          <Members value={value} path={path} marks={marks} links={links} budget={budget} />
        ) : (
          <div hx-get={links.branch(path)} hx-trigger="intersect once" hx-swap="outerHTML">
            <a href={links.branch(path)}>Open this branch</a>
          </div>
        )}
      </details>
      {/* Beside the disclosure, because a summary must not contain a link. */}
      <a
        class="to-history"
        href={links.history(path)}
        data-history
        aria-label={`History of ${keyLabel(name)}`}
      >
        ↺
      </a>
    </li>
  );
}

function Leaf({ value }: { value: Json }) {
  const shown = textOf(value);
  return (
    <span
      class="value"
      data-type={value === null ? "null" : Array.isArray(value) ? "list" : typeof value}
    >
      <Coloured text={shown.length > VALUE_TEXT ? `${shown.slice(0, VALUE_TEXT)}…` : shown} />
    </span>
  );
}

/** A value in one line: strings without quotes, everything else as JSON. */
export function textOf(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** An empty key is shown as JSON writes it. */
export function keyLabel(key: string): string {
  return nameLabel(key, '""');
}

function isBranch(value: Json): value is Json[] | { [key: string]: Json } {
  return typeof value === "object" && value !== null;
}

function size(value: Json[] | { [key: string]: Json }): number {
  return Array.isArray(value) ? value.length : Object.keys(value).length;
}
