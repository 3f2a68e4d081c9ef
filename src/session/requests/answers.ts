/** Answers several questions as of the same moment. */
import { answer, type Question, type Source } from "../../core/questions/questions.ts";
import type { SessionMaps } from "../source-maps.ts";
import type { Store } from "../storage/store.ts";
import { type Reply, replyOf } from "./reply.ts";

/** In the order of the questions. `sourceOf` may throw a Refusal, which is the reply then. */
export async function repliesTo(
  questions: Question[],
  sourceOf: () => Source,
  { store, maps }: { store: Store; maps: SessionMaps },
): Promise<Reply<unknown>[]> {
  // These last: they name the damage that the other answers met.
  const isLast = ([name]: Question) => name === "summary" || name === "damage";
  const inOrder = [...questions.entries()].sort(
    ([, one], [, other]) => Number(isLast(one)) - Number(isLast(other)),
  );
  store.segments.keep();
  const answers: (() => unknown)[] = [];
  for (const [index, question] of inOrder)
    answers[index] = tried(() => answer(sourceOf(), question));
  store.segments.release();

  // After all answers, since this waits for other objects.
  const replies: Reply<unknown>[] = [];
  for (const [index, [name]] of questions.entries())
    replies.push(await replyOf(() => maps.answer(name, answers[index]?.())));
  return replies;
}

/** Runs it now; its result, or its error, when it is asked for. */
function tried<Result>(run: () => Result): () => Result {
  try {
    const result = run();
    return () => result;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}
