import { expect, test } from "vitest";
import { looseJson } from "../../../daemon/api/loose-json.ts";

test("JSON is read as it is", () => {
  expect(looseJson('{"a":[1,"NaN",null]}')).toEqual({ a: [1, "NaN", null] });
});

test("NaN and infinities become strings, as in lanes", () => {
  expect(looseJson('{"a": NaN, "b": [Infinity, -Infinity], "c": -1}')).toEqual({
    a: "NaN",
    b: ["Infinity", "-Infinity"],
    c: -1,
  });
});

test("NaN and infinities inside strings stay unchanged, after escaped quotes too", () => {
  expect(looseJson(String.raw`{"NaN": "is \"NaN\", -Infinity\\", "b": NaN}`)).toEqual({
    NaN: String.raw`is "NaN", -Infinity` + "\\",
    b: "NaN",
  });
});

test.each(["", "{", '{"a": nan}', '{"a": NaN', "'a'"])("'%s' is no value", (text) => {
  expect(looseJson(text)).toBeUndefined();
});
