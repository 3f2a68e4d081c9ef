/** Which versions have source maps, with buttons to delete them; the files of one version on a page of its own. */
import { Hono } from "hono";
import { type AccessEnv } from "../../access/access.ts";
import { record } from "../../access/audit.ts";
import { formatBytes, formatNumber } from "../../core/text/format.ts";
import { asking, nameAsked } from "../../core/text/names.ts";
import { nameLabel, plainText } from "../../core/text/recorded-text.ts";
import { Refusal } from "../../core/refusal.ts";
import { listSourceMaps } from "../../registry/source-maps.ts";
import { mapsOf, type Release, removeMap, removeMaps } from "../../sourcemaps/client.ts";
import { readForm } from "../form.ts";
import { SOURCE_MAP_ROWS } from "../limits.ts";
import { address } from "../ui/address.ts";
import { Empty } from "../ui/empty.tsx";
import { guarded, Panel } from "../ui/panel.tsx";
import { Time } from "../ui/time.tsx";
import { SettingsTable } from "./table.tsx";

export const sourceMapRoutes = new Hono<AccessEnv>();

export function SourceMapsPanel({ db }: { db: D1Database }) {
  return (
    <Panel id="source-maps" title="Source maps">
      {guarded("the source maps", async () => {
        const all = await listSourceMaps(db, undefined, SOURCE_MAP_ROWS);
        if (all.length === 0)
          return (
            <Empty title="No source maps">
              <p>
                With them, stacks of minified JavaScript name the lines of their sources:{" "}
                <code>datacat sourcemaps upload dist --product P --version V</code> (
                <a href="/docs/source-maps">how</a>).
              </p>
            </Empty>
          );
        return (
          <>
            <SettingsTable
              label="Source maps"
              columns={["Product", "Version", "Files", "Stored", "Uploaded", "By"]}
              action="Delete"
            >
              {all.map((row) => (
                <tr>
                  <th scope="row">{nameLabel(row.product)}</th>
                  <td>
                    <a href={pageOf(row)}>{nameLabel(row.version)}</a>
                  </td>
                  <td>{formatNumber(row.files)}</td>
                  <td>{formatBytes(row.bytes)}</td>
                  <td>
                    <Time at={row.uploaded_at} show="minute" />
                  </td>
                  <td>{plainText(row.uploaded_by)}</td>
                  <td>
                    <Delete release={row} />
                  </td>
                </tr>
              ))}
            </SettingsTable>
            {all.length < SOURCE_MAP_ROWS ? null : (
              <p class="panel-note">
                The first {formatNumber(SOURCE_MAP_ROWS)} versions. Others:{" "}
                <code>datacat sourcemaps list --product P</code>
              </p>
            )}
          </>
        );
      })}
    </Panel>
  );
}

function Delete({ release: { product, version }, file }: { release: Release; file?: string }) {
  return (
    <form method="post" action="/settings/source-maps/delete">
      <input type="hidden" name="product" value={asking(product)} />
      <input type="hidden" name="version" value={asking(version)} />
      {file === undefined ? null : <input type="hidden" name="file" value={asking(file)} />}
      <button class="tool danger">Delete</button>
    </form>
  );
}

function pageOf({ product, version }: Release): string {
  return address("/settings/source-maps", { product: asking(product), version: asking(version) });
}

sourceMapRoutes.get("/settings/source-maps", async (c) => {
  const { product = "", version = "" } = c.req.query();
  const release = { product: nameAsked(product), version: nameAsked(version) };
  const files = await mapsOf(c.env, release);
  return c.render(
    <>
      <h1 class="page-title">
        Source maps of {nameLabel(release.product)} {nameLabel(release.version)}
      </h1>
      <Panel id="source-maps" title="Files" aside={<a href="/settings#source-maps">Settings</a>}>
        {files.length === 0 ? (
          <Empty title="This version has no source maps" />
        ) : (
          <SettingsTable
            label="Files"
            columns={["File", "Map", "Stored", "SHA-256", "Uploaded"]}
            action="Delete"
          >
            {files.map((row) => (
              <tr>
                <th scope="row">{plainText(row.file)}</th>
                <td>{formatBytes(row.bytes)}</td>
                <td>{formatBytes(row.stored_bytes)}</td>
                <td>
                  <code title={row.sha256}>{row.sha256.slice(0, 12)}</code>
                </td>
                <td>
                  <Time at={row.uploaded_at} show="minute" />
                </td>
                <td>
                  <Delete release={release} file={row.file} />
                </td>
              </tr>
            ))}
          </SettingsTable>
        )}
      </Panel>
    </>,
    { title: "Source maps", here: "/settings", name: "settings-page", styles: ["settings"] },
  );
});

sourceMapRoutes.post("/settings/source-maps/delete", async (c) => {
  const field = await readForm(c);
  const release = { product: nameAsked(field("product")), version: nameAsked(field("version")) };
  const file = nameAsked(field("file"));
  const { by } = c.var.access;
  const isRemoved =
    file === ""
      ? (await removeMaps(c.env, release)).files > 0
      : await removeMap(c.env, release, { file, at: Date.now(), by });
  if (!isRemoved) throw new Refusal("not_found", "There is no such source map.");
  await record(c, "source_maps_deleted", by, `${release.product} ${release.version}`);
  return c.redirect(file === "" ? "/settings#source-maps" : pageOf(release), 303);
});
