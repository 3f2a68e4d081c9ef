import { expect, test } from "vitest";
import { withVariable } from "../../../daemon/serve/port.ts";

test("a command with a variable is as the platform's shell takes it", () => {
  expect(withVariable(["PORT", 8081], "npm start", "linux")).toBe("PORT=8081 npm start");
  expect(withVariable(["PORT", 8081], "npm start", "win32")).toBe('$env:PORT = "8081"; npm start');
});
