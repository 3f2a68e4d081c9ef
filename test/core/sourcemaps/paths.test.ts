import { expect, test } from "vitest";
import { FileMatcher, sourcePath, uploadPath } from "../../../src/core/sourcemaps/paths.ts";

test.each([
  ["https://a.example/assets/app.js?v=3#x", "assets/app.js"],
  ["https://cdn.a.example/v2/assets/app.js", "assets/app.js"],
  ["/srv/game/dist/server.js", "server.js"],
  ["file:///srv/game/dist/assets/app.js", "assets/app.js"],
  ["file:///C:/game/assets/app.js", "assets/app.js"],
  ["C:\\game\\assets\\app.js", "assets/app.js"],
  ["webpack://game/./assets/app.js", "assets/app.js"],
  ["https://a.example/assets/my%20app.js", "assets/my app.js"],
  ["https://a.example/app.js", "app.js"],
  ["https://a.example/b/app.js", "public/b/app.js"],
])("%s is the uploaded file %s", (file, expected) => {
  const paths = ["assets/app.js", "server.js", "assets/my app.js", "app.js", "public/b/app.js"];
  expect(new FileMatcher(paths).find(file)).toBe(expected);
});

test.each([
  ["https://a.example/assets/other.js", ["assets/app.js"]],
  ["https://a.example/c/app.js", ["b/app.js"]],
  ["/srv/node_modules/left/index.js", ["index.js"]],
  ["https://a.example/app.js", ["one/app.js", "two/app.js"]],
  ["", ["app.js"]],
  ["https://a.example/", ["app.js"]],
])("%s is none of %j", (file, paths) => {
  expect(new FileMatcher(paths).find(file)).toBeUndefined();
});

test("the file of the longest path counts", () => {
  const matcher = new FileMatcher(["app.js", "b/app.js", "a/b/app.js"]);
  expect(matcher.find("https://x.example/a/b/app.js")).toBe("a/b/app.js");
  expect(matcher.find("https://x.example/c/b/app.js")).toBe("b/app.js");
  expect(matcher.find("https://x.example/c/app.js")).toBe("app.js");
});

test.each([
  ["../../src/app.ts", "dist/assets/app.js", "src/app.ts"],
  ["../../../src/app.ts", "assets/app.js", "src/app.ts"],
  ["app.ts", "app.js", "app.ts"],
  ["webpack://game/./src/app.ts", "app.js", "src/app.ts"],
  ["webpack://@scope/game/./src/app.ts?1f2c", "app.js", "src/app.ts"],
  ["webpack:///./src/app.ts", "app.js", "src/app.ts"],
  ["webpack:///node_modules/left/index.js", "app.js", "node_modules/left/index.js"],
  ["webpack://game/webpack/bootstrap", "app.js", "game/webpack/bootstrap"],
  ["file:///C:/game/src/app.ts", "app.js", "C:/game/src/app.ts"],
  ["file:///srv/game/src/app.ts", "app.js", "file:///srv/game/src/app.ts"],
  ["C:\\game\\src\\app.ts", "app.js", "C:/game/src/app.ts"],
  ["..\\src\\app.ts", "dist/app.js", "src/app.ts"],
])("the source %s of %s is shown as %s", (source, generated, expected) => {
  expect(sourcePath(source, generated)).toBe(expected);
});

test("paths of any length and shape take linear time", () => {
  for (const part of ["../", "a/", "%2", "\\", "/./", "webpack://"])
    expect(uploadPath(part.repeat(100_000)).length).toBeLessThanOrEqual(2_000);
});
