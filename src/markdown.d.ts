/** Markdown files are bundled as their text (wrangler.toml `rules`, daemon/serve/worker.ts). */
declare module "*.md" {
  const text: string;
  export default text;
}
