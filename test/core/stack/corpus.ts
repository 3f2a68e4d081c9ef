/** Stack traces in the formats in which languages print them. Those of one group are one failure: elsewhere, later, with other values. */

import { of, type Sample } from "./sample.ts";
import { SHAPES } from "./shapes.ts";

const python = [
  ...of(
    "python: a library calls back",
    "KeyError",
    `Traceback (most recent call last):
  File "/usr/lib/python3.12/threading.py", line 1012, in run
    self._target(*self._args)
  File "/srv/shop/worker.py", line 31, in drain
    handle(item)
  File "/srv/shop/venv/lib/python3.12/site-packages/celery/app.py", line 8, in call
    return self(*a)
  File "/srv/shop/orders.py", line 77, in total
    return prices[sku]
           ~~~~~~^^^^^
KeyError: 'A-17'`,
    `Traceback (most recent call last):
  File "C:\\Python39\\Lib\\threading.py", line 910, in run
    self._target(*self._args)
  File "D:\\shop\\worker.py", line 30, in drain
    handle(item)
  File "D:\\shop\\.venv\\Lib\\site-packages\\celery\\app.py", line 9, in call
    return self(*a)
  File "D:\\shop\\.venv\\Lib\\site-packages\\celery\\base.py", line 2, in inner
    return f(*a)
  File "D:\\shop\\orders.py", line 79, in total
    return prices[sku]
KeyError: 'B-99'`,
  ),
  ...of(
    "python: the same type elsewhere",
    "KeyError",
    `Traceback (most recent call last):
  File "/srv/shop/worker.py", line 31, in drain
    handle(item)
  File "/srv/shop/orders.py", line 90, in discount
    return rates[sku]
KeyError: 'A-17'`,
  ),
  ...of(
    "python: an exception group",
    "ExceptionGroup",
    `  + Exception Group Traceback (most recent call last):
  |   File "/a/game/main.py", line 3, in <module>
  |     run()
  |   File "/a/game/main.py", line 9, in run
  |     raise ExceptionGroup("many", errors)
  | ExceptionGroup: many (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "/a/game/load.py", line 5, in load
    |     raise ValueError(1)
    | ValueError: 1
    +------------------------------------`,
    `  + Exception Group Traceback (most recent call last):
  |   File "/b/game/main.py", line 4, in <module>
  |     run()
  |   File "/b/game/main.py", line 8, in run
  |     raise ExceptionGroup("many", errors)
  | ExceptionGroup: many (3 sub-exceptions)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "/b/game/load.py", line 7, in load
    |     raise ValueError(2)
    | ValueError: 2
    +---------------- 2 ----------------
    | Traceback (most recent call last):
    |   File "/b/game/load.py", line 7, in load
    |     raise ValueError(3)
    | ValueError: 3
    +------------------------------------`,
  ),
  ...of(
    "python: a syntax error",
    "SyntaxError",
    [
      "invalid syntax",
      '  File "/home/ada/conf.py", line 3\n    def x(:\n          ^\nSyntaxError: invalid syntax',
    ],
    [
      "invalid syntax",
      '  File "/srv/conf.py", line 8\n    def x(:\n          ^\nSyntaxError: invalid syntax',
    ],
  ),
  ...of("python: another syntax error there", "SyntaxError", [
    "unmatched ')'",
    "  File \"/home/ada/conf.py\", line 3\n    x)\n     ^\nSyntaxError: unmatched ')'",
  ]),
  ...of(
    "python: a recursion",
    "RecursionError",
    ["a", "b", "a", "b"].map((name) => `  File "tree.py", line 1, in ${name}`).join("\n"),
    ["a", "b", "a", "b", "a", "b", "a", "b"]
      .map((name) => `  File "tree.py", line 1, in ${name}`)
      .join("\n"),
  ),
];

const javascript = [
  ...of(
    "node: a callback of a library",
    "TypeError",
    [
      "Cannot read properties of undefined (reading 'id')",
      `TypeError: Cannot read properties of undefined (reading 'id')
    at Cart.total (/srv/app/src/cart.js:10:15)
    at Layer.handle [as handle_request] (/srv/app/node_modules/express/lib/router/layer.js:95:5)
    at next (/srv/app/node_modules/express/lib/router/route.js:149:13)
    at async file:///srv/app/src/main.mjs:3:1
    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)`,
    ],
    [
      "Cannot read properties of undefined (reading 'name')",
      `TypeError: Cannot read properties of undefined (reading 'name')
    at Cart.total (C:\\app\\src\\cart.js:12:3)
    at Layer.handleRequest (C:\\app\\node_modules\\router\\lib\\layer.js:152:17)
    at async file:///C:/app/src/main.mjs:4:1`,
    ],
  ),
  ...of(
    "node: a builtin calls back",
    "Error",
    `Error: x
    at /srv/app/src/list.js:4:9
    at Array.map (<anonymous>)
    at draw (/srv/app/src/list.js:3:6)
    at Object.<anonymous> (/srv/app/src/list.js:9:1)
    at Module._compile (node:internal/modules/cjs/loader:1554:14)`,
    `Error: x
    at /app/src/list.js:5:9
    at Array.forEach (<anonymous>)
    at draw (/app/src/list.js:4:6)
    at Object.<anonymous> (/app/src/list.js:11:1)
    at Module._compile (node:internal/modules/cjs/loader:1376:14)
    at Module._extensions..js (node:internal/modules/cjs/loader:1435:10)`,
  ),
  ...[
    "index-3f2a9b1c.js",
    "index-BX3k9fQz.js",
    "index-DqZ3x_8-.js",
    "index.8d2f3a1c.js",
    "index.min.js",
    "index.4f3a2b1c9d8e7f6a.chunk.js",
    "index.js?v=17",
  ].flatMap((file) =>
    of(
      "browser: a bundle",
      "Error",
      `Error: x\n    at openDoor (https://cdn.example.com/assets/${file}:2:345)`,
    ),
  ),
  ...of(
    "browser: the same function in another bundle",
    "Error",
    "Error: x\n    at openDoor (https://cdn.example.com/assets/editor-3f2a9b1c.js:2:345)",
  ),
  ...of(
    "firefox and safari: an inner function",
    "Error",
    "open@https://a.example/app.js:3:5\nrun/<@https://a.example/app.js:9:1",
    "open@http://localhost:8080/app.js:4:15\nrun/<@http://localhost:8080/app.js:10:1\nasync*main@http://localhost:8080/node_modules/x.js:1:1",
  ),
  ...of(
    "minified: one place",
    "TypeError",
    "TypeError: e is null\n    at t (https://a.example/app.min.js:1:48123)\n    at n (https://a.example/app.min.js:1:51000)",
    "TypeError: e is null\n    at t (http://b.example/v/app.min.js:1:48123)\n    at n (http://b.example/v/app.min.js:1:51000)",
  ),
  ...of(
    "minified: another place",
    "TypeError",
    "TypeError: e is null\n    at t (https://a.example/app.min.js:1:9123)\n    at n (https://a.example/app.min.js:1:51000)",
  ),
  ...of(
    "node: eval",
    "Error",
    "Error: x\n    at eval (eval at run (/app/rules.js:3:1), <anonymous>:1:7)\n    at run (/app/rules.js:3:1)",
    "Error: x\n    at eval (eval at run (/srv/rules.js:8:1), <anonymous>:9:7)\n    at run (/srv/rules.js:8:1)",
  ),
  ...of(
    "node: index files of two folders, the first",
    "Error",
    "Error: x\n    at load (/app/src/maps/index.js:1:1)",
  ),
  ...of(
    "node: index files of two folders, the second",
    "Error",
    "Error: x\n    at load (/app/src/saves/index.js:1:1)",
  ),
];

const go = [
  ...of(
    "go: a panic",
    "runtime.boundsError",
    `goroutine 1 [running]:
main.(*Door).Open(0xc000012345, {0x4a1b2c, 0x5})
	/home/ada/game/door.go:42 +0x1d
main.Run[...](...)
	/home/ada/game/main.go:7
main.main()
	/home/ada/game/main.go:3 +0x20
exit status 2`,
    `goroutine 17 [running]:
panic({0x1, 0x2})
	/usr/local/go/src/runtime/panic.go:792 +0x132
main.(*Door).Open(0xc0000fffff, {0x400000?, 0x6})
	/builds/7/game/door.go:44 +0x2f
main.Run[...](...)
	/builds/7/game/main.go:8
main.main()
	/builds/7/game/main.go:8 +0x45`,
  ),
  ...of(
    "go: in a closure below net/http",
    "panic",
    `goroutine 5 [running]:
main.serve.func1({0x1, 0x2}, 0xc000)
	/a/srv.go:9 +0x1
net/http.HandlerFunc.ServeHTTP(0x1, {0x2, 0x3}, 0x4)
	/usr/local/go/src/net/http/server.go:2294 +0x29
net/http.(*conn).serve(0xc000, {0x1, 0x2})
	/usr/local/go/src/net/http/server.go:2102 +0x625
created by net/http.(*Server).Serve in goroutine 1
	/usr/local/go/src/net/http/server.go:3454 +0x485`,
    `goroutine 88 [running]:
main.serve.func2({0x1, 0x2}, 0xc000)
	/b/srv.go:12 +0x1
net/http.(*conn).serve(0xc000, {0x1, 0x2})
	/usr/lib/go-1.19/src/net/http/server.go:1991 +0x607`,
  ),
];

const jvm = [
  ...of(
    "java: a lambda and a proxy",
    "java.lang.IllegalStateException",
    `java.lang.IllegalStateException: no door
	at com.example.Door.open(Door.java:12)
	at com.example.Main.lambda$run$0(Main.java:3)
	at com.example.Main$$Lambda$14/0x0000000800066840.run(Unknown Source)
	at com.example.Door$$EnhancerBySpringCGLIB$$a1b2c3d4.open(<generated>)
	at java.base/java.util.concurrent.ThreadPoolExecutor.runWorker(ThreadPoolExecutor.java:1144)
	at java.base/java.lang.Thread.run(Thread.java:833)`,
    `java.lang.IllegalStateException: no door
	at app//com.example.Door.open(Door.java:15) ~[app.jar:1.0]
	at com.example.Main.lambda$run$3(Main.java:5) ~[app.jar:1.0]
	at com.example.Main$$Lambda/0x00007f0001.run(Unknown Source)
	at com.example.Door$$SpringCGLIB$$0.open(<generated>)
	at jdk.internal.reflect.GeneratedMethodAccessor77.invoke(Unknown Source)
	at java.base@21.0.1/java.lang.Thread.run(Thread.java:1583)`,
  ),
  ...of(
    "java: another method",
    "java.lang.IllegalStateException",
    "\tat com.example.Door.close(Door.java:22)\n\tat java.base/java.lang.Thread.run(Thread.java:833)",
  ),
  ...of(
    "kotlin: a coroutine",
    "kotlin.KotlinNullPointerException",
    "\tat com.example.DoorKt$open$1.invokeSuspend(Door.kt:5)\n\tat kotlin.coroutines.jvm.internal.BaseContinuationImpl.resumeWith(ContinuationImpl.kt:33)",
    "\tat com.example.DoorKt$open$1.invokeSuspend(Door.kt:7)\n\tat kotlinx.coroutines.DispatchedTask.run(DispatchedTask.kt:106)",
  ),
];

const dotnet = [
  ...of(
    ".NET: an async method",
    "System.InvalidOperationException",
    `   at Game.Door.<Open>d__5.MoveNext() in C:\\src\\Door.cs:line 12
--- End of stack trace from previous location ---
   at System.Runtime.CompilerServices.TaskAwaiter.ThrowForNonSuccess(Task task)
   at Game.Program.<>c.<Main>b__1_0(Object sender) in C:\\src\\Program.cs:line 3`,
    `   at Game.Door.<Open>d__7.MoveNext() in /src/Door.cs:line 14
   at Game.Program.<>c__DisplayClass2_0.<Main>b__0(Object sender)`,
  ),
  ...of(
    "Unity: a script",
    "NullReferenceException",
    "Door.Open () (at Assets/Scripts/Door.cs:12)\nPlayer.Update () (at Assets/Scripts/Player.cs:40)",
    "  at Door.Open () [0x00001] in /builds/game/Assets/Scripts/Door.cs:13 \n  at Player.Update () [0x00010] in <3f2a9b1c77>:0 \n  at UnityEngine.Foo.Bar () [0x0] in <1>:0 ",
  ),
];

const native = [
  ...of(
    "gdb and AddressSanitizer: one function",
    "SIGSEGV",
    '#0  0x00007ffff7a12345 in door_open (d=0x0, name=0x55 "x") at src/door.c:12\n#1  0x0000555555555189 in main (argc=1) at src/main.c:3',
    "#0  __GI_raise (sig=6) at ../sysdeps/unix/sysv/linux/raise.c:50\n#1  0x1 in abort () from /lib/x86_64-linux-gnu/libc.so.6\n#2  door_open (d=0x1) at /b/src/door.c:14\n#3  main () at /b/src/main.c:4",
    "    #0 0x4f5a in door_open /home/a/src/door.c:12:3\n    #1 0x4f6b in main /home/a/src/main.c:3:9\n    #2 0x7f8c in __libc_start_main (/lib/x86_64-linux-gnu/libc.so.6+0x23d09) (BuildId: 0a1b)",
    "./game(door_open+0x1d)[0x401136]\n./game(main+0x9)[0x401150]\n/lib/x86_64-linux-gnu/libc.so.6(__libc_start_main+0xea)[0x7f01]",
  ),
  ...of(
    "Apple",
    "EXC_BAD_ACCESS",
    "0   libsystem_kernel.dylib         0x00000001804b1234 __pthread_kill + 8\n1   MyGame                         0x0000000104ea1234 Door.open() + 123 (Door.swift:12)\n2   UIKitCore                      0x0000000182001234 -[UIView touch:] + 20",
    "3   MyGame                         0x0000000102ffff10 Door.open() + 99 (Door.swift:15)\n4   UIKitCore                      0x0000000182001234 -[UIView touch:] + 20",
  ),
  ...of(
    "Unreal",
    "EXCEPTION_ACCESS_VIOLATION",
    "UnrealEditor_MyGame!ADoor::Open() [D:\\Game\\Source\\Door.cpp:12]\nUnrealEditor_Engine!AActor::Tick() [D:\\build\\Actor.cpp:100]\nkernel32",
    "UnrealEditor_MyGame!ADoor::Open() [E:\\b\\Door.cpp:15]\nUnrealEditor_CoreUObject!UObject::Process() [D:\\build\\x.cpp:1]",
  ),
  ...of(
    "Android",
    "SIGSEGV",
    "      #00 pc 000000000001234c  /system/lib64/libc.so (abort+164)\n      #01 pc 0000000000005678  /data/app/x-1/lib/arm64/libgame.so (door_open+12)",
    "      #00 pc 0000000000005688  /data/app/~~abc==/x/lib/arm64/libgame.so (door_open+44) (BuildId: 12ab)",
  ),
  ...of(
    "Rust",
    "panic",
    "   0: rust_begin_unwind\n             at /rustc/90b35a6239c3d8bdabc530a6a0816f7ff89a0aaf/library/std/src/panicking.rs:665:5\n   1: core::panicking::panic_fmt\n   2: game::door::open\n             at ./src/door.rs:10:5\n   3: game::main::{{closure}}\n             at ./src/main.rs:3:1",
    "   7: game::door::open::h0123456789abcdef\n             at /build/src/door.rs:12:9\n   8: game::main::{{closure}}::h0123456789abcdee\n             at /build/src/main.rs:4:1\n   9: std::rt::lang_start",
  ),
];

const scripts = [
  ...of(
    "Ruby",
    "NoMethodError",
    "door.rb:12:in 'Door#open': undefined method 'x' for nil (NoMethodError)\n\tfrom /usr/lib/ruby/3.3/gems/rack/lib/rack.rb:3:in 'call'\n\tfrom main.rb:3:in 'block in <main>'",
    "/srv/door.rb:15:in 'Door#open'\n/srv/main.rb:4:in 'block in <main>'",
  ),
  ...of(
    "PHP",
    "Error",
    "#0 /var/www/src/Door.php(12): Door->open('front', 5)\n#1 /var/www/vendor/symfony/http-kernel/Kernel.php(20): run()\n#2 [internal function]: x()\n#3 {main}",
    "#0 /app/src/Door.php(14): Door->open('back', 7)\n#1 {main}",
  ),
  ...of(
    "Elixir",
    "FunctionClauseError",
    "    (game 0.1.0) lib/game/door.ex:12: Game.Door.open/2\n    (phoenix 1.7.10) lib/phoenix/router.ex:430: Phoenix.Router.__call__/5\n    (stdlib 5.0) gen_server.erl:1123: :gen_server.try_handle_call/4",
    "    (game 0.2.0) lib/game/door.ex:14: Game.Door.open/2\n    (stdlib 4.3) gen_server.erl:1200: :gen_server.try_handle_call/4",
  ),
  ...of(
    "Perl",
    "die",
    'main::open_door("front", 1) called at door.pl line 20\nmain::run() called at door.pl line 30',
    'main::open_door("back", 2) called at /srv/door.pl line 22\nmain::run() called at /srv/door.pl line 33',
  ),
  ...of(
    "GDScript",
    "error",
    "   at: open (res://door.gd:12)\n   at: _process (res://player.gd:44)",
    "   [0] open (res://door.gd:13)\n   [1] _process (res://player.gd:40)",
  ),
  ...of(
    "Lua",
    "error",
    "\tdoor.lua:12: in function 'open'\n\t[C]: in function 'pcall'\n\tmain.lua:3: in main chunk",
    "\t/srv/door.lua:14: in function 'open'\n\t/srv/main.lua:5: in main chunk",
  ),
  ...of(
    "Dart",
    "StateError",
    "#0      Door.open (package:game/door.dart:12:5)\n#1      main.<anonymous closure> (package:game/main.dart:3:1)\n#2      _rootRun (dart:async/zone.dart:1399:13)",
    "#0      Door.open (package:game/door.dart:14:9)\n#1      main.<anonymous closure> (package:game/main.dart:4:1)",
  ),
];

export const CORPUS: Sample[] = [
  ...python,
  ...javascript,
  ...go,
  ...jvm,
  ...dotnet,
  ...native,
  ...scripts,
  ...SHAPES,
];
