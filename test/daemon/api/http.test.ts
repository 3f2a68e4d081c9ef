import { expect, test } from "vitest";
import { refusalOf } from "../../../daemon/api/http.ts";

test("only names of this machine are answered to", () => {
  const allowed = { hosts: ["recorder"], origins: ["https://datacat.example"] };
  expect(refusalOf({ host: "localhost:8079" }, allowed)).toBeUndefined();
  expect(refusalOf({ host: "[::1]:8079" }, allowed)).toBeUndefined();
  expect(refusalOf({ host: "recorder" }, allowed)).toBeUndefined();
  expect(refusalOf({ host: "rebound.example" }, allowed)).toBeDefined();
  expect(refusalOf({ host: "localhost", origin: "null" }, allowed)).toBeDefined();
  const known = { host: "localhost", origin: "https://datacat.example" };
  expect(refusalOf(known, allowed)).toBeUndefined();
});
