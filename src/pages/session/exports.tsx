/** The links to every export of a session: plain links, which also work without script. */
import { Property } from "../ui/property.tsx";

export function ExportMenu({ id }: { id: string }) {
  const address = `/api/sessions/${id}/export`;
  return (
    <details class="exports">
      <summary class="tool">Export</summary>
      <dl class="properties">
        <Property label="Everything">
          <a href={`${address}?format=datacat`}>Session file</a>{" "}
          <a href={`${address}?format=json`}>JSON</a> <a href={address}>JSON lines</a>
        </Property>
        <Property label="Events">
          <TableLinks address={`${address}?format=csv`} />
        </Property>
        <Property label="Metrics, a row for each point">
          <TableLinks address={`${address}?format=csv&table=metrics`} />
        </Property>
        <Property label="Metrics, a column for each series">
          <TableLinks address={`${address}?format=csv&table=metrics_wide`} />
        </Property>
        <Property label="The same, a row for each second">
          <TableLinks address={`${address}?format=csv&table=metrics_wide&step=1000`} />
        </Property>
      </dl>
      <p class="quiet">
        For spreadsheets with a decimal comma: CSV with semicolons.{" "}
        <a href="/docs/exports">What each file has</a>
      </p>
    </details>
  );
}

function TableLinks({ address }: { address: string }) {
  return (
    <>
      <a href={address}>CSV</a>{" "}
      <a href={`${address}&separator=semicolon&decimal=comma&bom=1`}>CSV with semicolons</a>
    </>
  );
}
