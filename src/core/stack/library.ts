/** Whether a frame is of a library or the runtime, and not of the program itself. */
import { goPackage } from "./go.ts";
import { isGenerated } from "./jvm.ts";
import { baseName, type Place } from "./place.ts";

export function isLibrary(place: Place): boolean {
  if (place.file !== undefined && LIBRARY_FILE.test(place.file)) return true;
  switch (place.language) {
    case "python":
      return /^<(?!string>|stdin>)/.test(place.file ?? "");
    case "javascript":
      return (
        place.file === undefined ||
        /^(?:native$|(?:native|node|internal|deno|bun|ext|wasm|[a-z-]*-extension):)|^internal\//.test(
          place.file,
        )
      );
    case "go":
      return isGoLibrary(place);
    case "jvm":
      return JVM_LIBRARY.test(place.name) || isGenerated(place.name);
    case "dotnet":
      return DOTNET_LIBRARY.test(place.name);
    case "rust":
      return RUST_LIBRARY.test(place.name.replace(/^<+/, ""));
    case "native":
      return isNativeLibrary(place);
    case "script":
      return (
        SCRIPT_LIBRARY.has(place.module ?? "") ||
        (place.file === undefined && place.module === undefined) ||
        SCRIPT_LIBRARY_FILE.test(place.file ?? "")
      );
    default:
      return place.language satisfies never;
  }
}

/** Folders into which package managers and runtimes install. */
const LIBRARY_FILE =
  /[\\/](?:node_modules|bower_components|site-packages|dist-packages|lib[\\/]python\d|Python\d+[\\/]Lib|pkg[\\/]mod|go[\\/]src[\\/](?:runtime|internal)|\.cargo[\\/]registry|rustc[\\/]|gems[\\/]|lib[\\/]ruby[\\/]|vendor[\\/]|\.pub-cache|perl5[\\/]|share[\\/]perl|deps[\\/])|^(?:node_modules[\\/]|\/rustc\/|<internal:|<frozen |node:|lib[\\/]ruby)|^webpack[\\/]|webpack\/(?:bootstrap|runtime)/;

const JVM_LIBRARY =
  /^(?:java|javax|jakarta|jdk|sun|com\.sun|kotlin|kotlinx|scala|groovy|clojure|android|androidx|dalvik|libcore|com\.android|org\.(?:springframework|apache|junit|hibernate|eclipse|jboss|gradle|slf4j|mockito|testng|codehaus|aspectj|glassfish)|com\.(?:google|fasterxml|zaxxer|mysql|netflix|squareup)|io\.(?:netty|reactivex|micrometer|grpc|vertx|quarkus|ktor)|reactor|okhttp3|retrofit2|rx|net\.bytebuddy|ch\.qos\.logback|org\.postgresql|net\.minecraft\.launchwrapper)\./;

const DOTNET_LIBRARY =
  /^(?:\(wrapper |System\.|Microsoft\.|MS\.|Mono\.|Internal\.|UnityEngine[.:]|UnityEditor[.:]|Unity\.|Xunit\.|NUnit\.|Newtonsoft\.|Npgsql\.|Castle\.|lambda_method|Interop[.+])/;

const RUST_LIBRARY =
  /^(?:std|core|alloc|proc_macro|test|tokio|futures|futures_util|hyper|rayon|rayon_core|backtrace|anyhow|tracing|serde|serde_json|_?rust_|__rust|___?rust|main$|_?start$|__libc|clone)(?:::|_|$)|^(?:main|_start|start|__libc_start_main|__libc_start_call_main|clone|_main)$/;

const SCRIPT_LIBRARY = new Set(
  "elixir stdlib kernel erts compiler ex_unit mix iex logger phoenix phoenix_live_view phoenix_pubsub plug plug_cowboy plug_crypto cowboy cowlib ranch bandit thousand_island ecto ecto_sql db_connection postgrex myxql telemetry jason absinthe oban broadway gen_stage finch mint [C]".split(
    " ",
  ),
);

/** Of Dart and Flutter, and of Erlang, whose own modules have no folder. */
const SCRIPT_LIBRARY_FILE =
  /^dart:|^package:(?:flutter\w*|test_api|stack_trace|async|bloc|provider|riverpod|http|dio|get)\/|^\w+\.erl$/;

/** Functions and libraries in which every crash of a compiled program ends or begins. */
const NATIVE_FUNCTION =
  /^(?:_start|start|__libc_start_main|__libc_start_call_main|abort|raise|gsignal|__GI_\w+|__pthread_\w+|pthread_kill|start_thread|_?clone3?|__assert\w*|__cxa_\w+|__restore_rt|_sigtramp|<signal handler called>|std::\w+|__gnu_cxx::\w*|operator (?:new|delete)\w*|__asan\w*|__interceptor_\w+|__sanitizer\w*|__ubsan\w*|mem(?:cpy|set|move)\w*|str(?:len|cpy|cmp)\w*|malloc|free|realloc|_?RtlUserThreadStart|BaseThreadInitThunk|objc_\w+|swift_\w+|_swift_\w+|thread_start|mach_msg\w*|invoke_main|__scrt_\w+)$/;

const NATIVE_LIBRARY =
  /^(?:lib(?:c|m|pthread|stdc\+\+|gcc_s|dl|rt|c\+\+|c\+\+abi|objc|swift\w*|system_\w+|dispatch|dyld|asan|ubsan|clang_rt\.\w+|il2cpp|unity|art|base|binder|utils|android_runtime|hwui)|ld-linux[\w-]*|ld|dyld|ntdll|kernel32|kernelbase|user32|ucrtbased?|vcruntime\w*|msvcp\w*|d3d\d+|nvoglv\w*|UIKit(?:Core)?|AppKit|Foundation|CoreFoundation|QuartzCore|CoreGraphics|GraphicsServices|SwiftUI|AttributeGraph|UnityPlayer|UnityFramework|GameAssembly|mono-2\.0-bdwgc|Unreal(?:Editor|Engine)?|UE4|app_process\w*)(?:[.-].*)?$/i;

function isNativeLibrary({ name, file, module = "" }: Place): boolean {
  if (name === "" && file === undefined)
    return module === "" || NATIVE_LIBRARY.test(baseName(module));
  if (NATIVE_FUNCTION.test(name)) return true;
  const image = baseName(module);
  if (image === "") return /^\/(?:usr|build\/glibc|rustc)\b|\.\.\/sysdeps\//.test(file ?? "");
  // The engine's own modules; a game's has the name of the game: UnrealEditor_MyGame.
  return (
    NATIVE_LIBRARY.test(image) ||
    /^(?:UE4Editor|UnrealEditor)[-_](?:Core|CoreUObject|Engine|Renderer|RHI|Slate\w*|UnrealEd|ApplicationCore|D3D\w*|Launch)\b/.test(
      image,
    )
  );
}

/** The standard library's files are in the folder of their package below `src`, or in that folder alone in a build without paths. */
function isGoLibrary({ name, file = "" }: Place): boolean {
  const path = file.replaceAll("\\", "/");
  if (name === "") return /(?:^|\/src\/)(?:runtime|internal)\/[\w/]+\.go$/.test(path);
  const own = goPackage(name);
  const [first = ""] = own.split("/", 1);
  if (!GO_STANDARD.has(first)) return false;
  const folder = path.slice(0, Math.max(0, path.lastIndexOf("/")));
  return path === "" || folder === own || folder.endsWith(`/src/${own}`);
}

/** First parts of the standard library's packages. */
const GO_STANDARD = new Set(
  "runtime internal net os io fmt reflect sync syscall time testing bufio bytes compress context crypto database encoding errors html image log math mime path regexp sort strconv strings text unicode panic".split(
    " ",
  ),
);
