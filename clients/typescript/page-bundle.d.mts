import type { Plugin } from "esbuild";

/** Options of esbuild for the one file for pages. */
export declare const PAGE_BUNDLE: {
  bundle: true;
  minify: true;
  format: "esm";
  target: "es2022";
  mangleProps: RegExp;
  mangleCache: Record<string, string>;
  plugins: Plugin[];
};
