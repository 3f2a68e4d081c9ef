/** Messages of one place have one template, whatever their values; those of different places do not. */
import { expect, test } from "vitest";
import { templateOf } from "../../../src/core/events/template.ts";

/** Each line is one place in a program. */
const PLACES: string[][] = [
  ["Timeout after 30s", "Timeout after 5s", "Timeout after 1,000.5s"],
  ["Timeout after 30 ms in fetch", "Timeout after 1e3 ms in fetch"],
  ["Retry 3 of 10", "Retry 10 of 10"],
  ["Level -5 is below 0", "Level +17 is below 3"],
  ["No item 'sword'", "No item 'O\\'Brien'", "No item ''"],
  ['Key "a b" not found', 'Key "an \\"x\\"" not found', "Key “ü” not found"],
  ["Can't open 'x'", "Can't open 'y z'"],
  ["Don't know why"],
  ["the user's file isn't 'a'", "the user's file isn't 'b'"],
  [
    "cannot open /home/ada/a.txt",
    "cannot open C:\\Users\\bob\\a.txt",
    "cannot open ./b.txt",
    "cannot open \\\\nas\\share\\x",
  ],
  ["cannot read /home/ada/my saves/a.txt: denied", "cannot read C:\\My Saves\\b.txt: denied"],
  ["GET https://a.example/x?id=1 answered 500", "GET http://localhost:8080/y answered 404"],
  ["no mailbox ada@example.com", "no mailbox bob.o@mail.example.org"],
  [
    "expired on 2026-03-01",
    "expired on 2026-03-01T10:00:00.123Z",
    "expired on 2025-12-24 10:00:00+01:00",
  ],
  ["late since Mon, 2 Mar 2026 10:00:00 GMT", "late since Tue, 13 Jan 2025 11:22:33 GMT"],
  ["closed at 10:00", "closed at 23:59:59.999"],
  ["bad pointer 0x7f00aa", "bad pointer 0xdeadbeef00"],
  [
    "no session 3f2a9b1c-0000-4000-8000-123456789abc",
    "no session 99999999-1111-4222-8333-ABCDEFABCDEF",
  ],
  ["no object 507f1f77bcf86cd799439011", "no object 65a1b2c3d4e5f60718293a4b"],
  ["no blob 01ARZ3NDEKTSV4RRFFQ69G5FAV", "no blob 01BX5ZZKBKACTAV9WEVGEMMVRZ"],
  [
    "connect ECONNREFUSED 127.0.0.1:5432",
    "connect ECONNREFUSED [::1]:5432",
    "connect ECONNREFUSED 10.0.0.7:80",
    "connect ECONNREFUSED ::1:5432",
    "connect ECONNREFUSED fe80::1:80",
  ],
  ["unexpected [1, 2, 3]", "unexpected []", "unexpected [[1], 'a']"],
  ['bad request {"id": 1, "x": [1, 2]}', 'bad request {"name": "a}b"}', "bad request {}"],
  [
    "shapes (3, 4) and (5, 6) differ",
    "shapes (10, 4, 1) and (7, 8, 2) differ",
    "shapes (3,) and (1,) differ",
  ],
  ["shape (3, 4) is wrong", "shape (128, 64, 3) is wrong"],
  ["[Errno 2] No such file or directory: 'a'", "[Errno 2] No such file or directory: '/b/c'"],
  ["[Errno 13] Permission denied: 'a'"],
  ["price $5.00 too low", "price $1,234.50 too low"],
  ["used 95% of 16GB", "used 7.5% of 512GB"],
  ["column `users`.`id` missing", "column `a`.`b c` missing"],
  ["undefined method `x' for nil", "undefined method `open_door' for nil"],
  ["undefined local `x'"],
  ["\u001b[31mcolour 1\u001b[0m", "colour 2"],
  ["clé «a» inconnue", "clé «b c» inconnue"],
  ["键 “一” 不存在", "键 “二” 不存在"],
  ["utf8 is not latin1"],
  ["x86 is not arm64"],
  ["HTTP 404", "HTTP 500"],
  ["E1234: broken"],
  ["missing a"],
  ["missing b"],
  ["deadbeef is no id"],
  ["duration 1h 2m 3s", "duration 12h 0m 59s"],
  [
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 differs",
    "sha256:0263829989b6fd954f72baaf2fc64bc2e2f01d692d4de72986ea808f6e99813f differs",
  ],
  ["token eyJhbGciOiJIUzI1NiJ9 refused", "token aGVsbG8gd29ybGQxMjM0NTY refused"],
];

test("one place has one template", () => {
  for (const messages of PLACES) {
    const templates = messages.map(templateOf);
    expect(templates, messages[0]).toEqual(templates.map(() => templates[0]));
  }
});

test("no two places have the same template", () => {
  const templates = PLACES.map(([message = ""]) => templateOf(message));
  expect(new Set(templates).size, JSON.stringify(templates.toSorted(), null, 1)).toBe(
    PLACES.length,
  );
});
