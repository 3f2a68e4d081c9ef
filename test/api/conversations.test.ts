/** The requests that the clients and the daemon of 1.x send to the server, and the answers that they need. */
import { expect, test } from "vitest";
import conversations from "../fixtures/legacy/server.json";
import { post, server } from "./server.ts";

type Step = { request: string[]; body?: unknown; status: number; answer: unknown };
type Conversation = { name: string; steps: Step[] };

const ask = server();

test.each(conversations as Conversation[])("$name", async ({ steps }) => {
  let id = "";
  const filled = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value).replaceAll("{id}", id));
  for (const { request, body, status, answer } of steps) {
    const [method = "", path = ""] = request;
    const init = method === "GET" ? {} : { ...post(body === undefined ? "" : body), method };
    const response = await ask(path.replace("{id}", id), init);
    expect([method, path, response.status]).toEqual([method, path, status]);
    const json = (await response.json()) as { session_id?: string };
    id ||= json.session_id ?? "";
    if (Array.isArray(answer))
      expect(json).toEqual(
        expect.arrayContaining(
          answer.map((each) => expect.objectContaining(filled(each) as object)),
        ),
      );
    else expect(json).toMatchObject(filled(answer) as object);
    expect(JSON.stringify(json)).not.toContain("0001-01-01");
  }
});
