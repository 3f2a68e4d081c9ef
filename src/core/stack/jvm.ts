/** Frames of Java, Kotlin, Scala, Groovy and Clojure. */
import type { Place } from "./place.ts";

/** `at java.base/java.lang.Thread.run(Thread.java:833)`, `at app//a.Door.open(Door.kt)`, with a jar behind it as some loggers print. */
export function jvmPlace(line: string): Place | undefined {
  const text = line.trim();
  if (!text.startsWith("at ")) return undefined;
  const open = text.indexOf("(");
  const close = text.indexOf(")", open);
  const inside = text.slice(open + 1, close);
  const call = text.slice(3, open);
  if (open < 0 || close < 0 || /\s/.test(call) || !isSource(inside)) return undefined;
  const slash = call.lastIndexOf("/");
  // A hidden class has a slash and an address in its name: `Door$$Lambda/0x00007f.run`.
  const isModule = slash > 0 && !call.startsWith("0x", slash + 1);
  const name = isModule ? call.slice(slash + 1) : call;
  if (!name.includes(".")) return undefined;
  const [file = "", number] = inside.split(":");
  return {
    language: "jvm",
    name,
    module: isModule ? call.slice(0, slash).replace(/@.*$/, "").replace(/\/$/, "") : undefined,
    file: file.includes(".") ? file : undefined,
    line: number === undefined ? undefined : Number(number),
  };
}

function isSource(text: string): boolean {
  return /^(?:[\w$-]+\.(?:java|kts?|scala|groovy|cljc?)|SourceFile|PG|r8-map-id-[\w-]+)(?::\d{1,9})?$|^(?:Unknown Source|Native Method|<generated>|Unknown Source:\d{1,9})$/.test(
    text,
  );
}

/** A method's name without what compilers and libraries number: lambdas, proxies, accessors, anonymous classes and generated subclasses. */
export function jvmName(name: string): string {
  return name
    .replace(/\$\$(?:EnhancerBy|FastClassBy|SpringCGLIB|EnhancerByCGLIB)[^.]*/, "$$$$generated")
    .replace(/\$(?:ByteBuddy|HibernateProxy|MockitoMock|Proxy)\$?\w*/, "$$generated")
    .replace(/\$\$(?:Lambda|ExternalSyntheticLambda)[^.]*(?:\/0x[0-9a-f]+)?/, "$$$$Lambda")
    .replace(/(lambda\$[A-Za-z_]\w*)\$\d+/, "$1")
    .replace(/(GeneratedMethodAccessor|GeneratedConstructorAccessor)\d+/, "$1")
    .replace(/\baccess\$\w+/, "access")
    .replace(/(?:\$\d+)+/g, "$$") // anonymous and local classes, lambdas of Kotlin and Scala
    .replace(/__\d+/g, "__"); // functions of Clojure
}

/** A call that the runtime inserts, by no line of the program. */
export function isGenerated(name: string): boolean {
  return /\$\$Lambda|\$\$generated|\$generated|GeneratedMethodAccessor|GeneratedConstructorAccessor|\.access$/.test(
    jvmName(name),
  );
}
