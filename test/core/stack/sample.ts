/** A stack trace of the corpus. Those of one group are one failure: elsewhere, later, with other values. */
export type Sample = { group: string; type: string; message?: string; stack: string };

export const of = (
  group: string,
  type: string,
  ...stacks: (string | [message: string, stack: string])[]
): Sample[] =>
  stacks.map((each) =>
    typeof each === "string"
      ? { group, type, stack: each }
      : { group, type, message: each[0], stack: each[1] },
  );
