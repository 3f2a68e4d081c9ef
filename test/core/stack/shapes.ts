/** Further shapes of stack traces: what compilers number, what machines differ in, what loggers and terminals add to the lines. */
import { of, type Sample } from "./sample.ts";

const python = [
  ...of(
    "python: a program in a zip, a user folder, a folder with blanks",
    "ValueError",
    '  File "/srv/app.pyz/game/door.py", line 3, in open_door\nValueError: x',
    '  File "/home/o\'brien/my game/game/door.py", line 9, in open_door\n    int(x)\nValueError: y',
    '  File "C:\\Users\\Ada Lövelace\\game\\door.py", line 10, in open_door\r\n    int(x)\r\nValueError: z',
    '\u001b[1m  File \u001b[35m"/a/door.py"\u001b[0m, line \u001b[35m4\u001b[0m, in \u001b[35mopen_door\u001b[0m\n    int(x)',
  ),
  ...of(
    "python: timestamps in front of the lines",
    "ValueError",
    '2026-03-01 10:00:00,123 ERROR   File "/a/lock.py", line 4, in turn\n2026-03-01 10:00:00,123 ERROR     int(x)',
    '2026-03-02T11:00:00Z   File "/b/lock.py", line 8, in turn\n2026-03-02T11:00:00Z     int( x)',
    '[12:00:01]   File "/b/lock.py", line 8, in turn',
    '  File "/b/lock.py", line 8, in turn',
  ),
  ...of(
    "python: lambdas and comprehensions",
    "ZeroDivisionError",
    '  File "/a/sums.py", line 4, in <module>\n    print(f())\n  File "/a/sums.py", line 3, in <lambda>\n    1/0',
    '  File "/b/sums.py", line 9, in <module>\n    print(f())\n  File "/b/sums.py", line 2, in <lambda>\n    1/0\n    ~^~',
  ),
  ...of(
    "python: a comprehension, which 3.12 prints within its function",
    "ZeroDivisionError",
    '  File "/a/sums.py", line 4, in mean\n    return [1/x for x in xs]\n  File "/a/sums.py", line 4, in <listcomp>\n    return [1/x for x in xs]',
    '  File "/a/sums.py", line 4, in mean\n    return [1/x for x in xs]\n            ~^~',
  ),
  ...of(
    "python: a chain prints the cause first",
    "RuntimeError",
    'Traceback (most recent call last):\n  File "/a/net.py", line 2, in fetch\n    get()\nKeyError: 1\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  File "/a/net.py", line 9, in load\n    raise RuntimeError\nRuntimeError',
    'Traceback (most recent call last):\n  File "/b/net.py", line 3, in fetch\n    get()\nKeyError: 2\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  File "/b/net.py", line 8, in load\n    raise RuntimeError\nRuntimeError',
  ),
  ...of(
    "python: many repeated lines are cut",
    "RecursionError",
    '  File "/a/walk.py", line 2, in walk\n    walk()\n  File "/a/walk.py", line 2, in walk\n    walk()\n  [Previous line repeated 990 more times]',
    '  File "/a/walk.py", line 2, in walk\n    walk()\n  [Previous line repeated 12 more times]',
  ),
  ...of(
    "python: faulthandler",
    "SIGSEGV",
    'Current thread 0x00007f1234567890 (most recent call first):\n  File "/a/native.py", line 12 in crash\n  File "/a/native.py", line 20 in <module>',
    'Thread 0x00007f0000000001 [MainThread] (most recent call first):\n  File "/b/native.py", line 13 in crash\n  File "/b/native.py", line 22 in <module>',
  ),
  ...of(
    "python: a notebook cell",
    "NameError",
    "File ~/models/model.py:12, in fit(x, y)\nNameError: q",
    "File /home/bob/model.py:14, in fit(x)\nNameError: q",
  ),
  ...of(
    "python: a cell of a notebook itself",
    "NameError",
    "Cell In[12], line 1, in score(x)\n----> 1 q",
    "Cell In[3], line 4, in score(x)\n----> 4 q",
  ),
];

const hashed = (stem: string) => [
  `${stem}.a1b2c3d4.js`,
  `${stem}-a1b2c3d4e5f6a7b8c9d0.js`, // webpack, Rollup
  `${stem}.a1b2c3d4e5f6a7b8c9d0.min.js`,
  `${stem}-CQ5wY7Zk.js`, // Vite 5
  `${stem}-D_9aBx-2.js`,
  `${stem}-NXJ5P3QK.js`, // esbuild
  `${stem}.bundle.js?t=1700000000000`,
  `${stem}~31ecd969.a1b2c3d4.js`, // split chunks
  `${stem}-1a2b3c4d5e6f7a8b.js`, // Next.js
];

const javascript = [
  ...hashed("main").flatMap((file) =>
    of(
      "bundler: main",
      "Error",
      `Error: x\n    at shutDoor (https://a.example/_next/static/${file}:2:99)`,
    ),
  ),
  ...of(
    "bundler: a name of eight letters is no hash",
    "Error",
    "Error: x\n    at shutDoor (https://a.example/static/main-settings.js:2:99)",
  ),
  ...of(
    "bundler: another name",
    "Error",
    "Error: x\n    at shutDoor (https://a.example/static/main-overview.js:2:99)",
  ),
  ...of(
    "bundler: a number is a part of the name",
    "Error",
    "Error: x\n    at shutDoor (https://a.example/static/level-2.js:2:99)",
  ),
  ...of(
    "bundler: another number",
    "Error",
    "Error: x\n    at shutDoor (https://a.example/static/level-3.js:2:99)",
  ),
  ...of(
    "bundler: webpack's addresses of sources",
    "Error",
    "Error: x\n    at turn (webpack:///./src/lock.ts?a1b2:12:3)",
    "Error: x\n    at turn (webpack-internal:///./src/lock.ts:14:5)",
    "Error: x\n    at turn (webpack://my-app/./src/lock.ts:15:5)",
    "turn@webpack:///src/lock.ts:15:5",
  ),
  ...of(
    "one function in V8, Firefox and Safari",
    "Error",
    "Error: x\n    at Lock.turn (https://a.example/lock-page.js:3:5)\n    at click (https://a.example/lock-page.js:9:5)",
    "Lock.turn@https://a.example/lock-page.js:3:7\nclick@https://a.example/lock-page.js:9:9",
  ),
  ...of(
    "safari: native code and modules",
    "TypeError",
    "forEach@[native code]\nopenAll@http://a.example/doors.js:4:10\nmodule code@http://a.example/doors.js:9:1",
    "map@[native code]\nopenAll@http://b.example/doors.js:5:10\nmodule code@http://b.example/doors.js:11:1\nevaluate@[native code]",
  ),
  ...of(
    "hermes: React Native",
    "TypeError",
    "TypeError: x\n    at render (address at index.android.bundle:1:2345678)\n    at mount (address at index.android.bundle:1:99999)",
    "TypeError: x\n    at render (address at index.android.bundle:1:2345999)\n    at mount (address at index.android.bundle:1:99111)",
  ),
  ...of(
    "node: private methods, getters, statics, aliases, promises",
    "Error",
    "Error: x\n    at get Door.width [as width] (/a/door.js:3:1)\n    at async Promise.all (index 0)\n    at async Room.#enter (/a/room.js:9:5)\n    at new Hall (/a/hall.js:1:1)",
    "Error: x\n    at get Door.width (file:///b/door.js:3:1)\n    at async Promise.all (index 7)\n    at async Room.#enter (/b/room.js:9:5)\n    at new Hall (/b/hall.js:1:1)",
  ),
  ...of(
    "node: a path with blanks and parentheses",
    "Error",
    "Error: x\n    at pay (/srv/my shop (old)/pay.js:3:1)",
    "Error: x\n    at pay (C:\\Program Files (x86)\\shop\\pay.js:8:1)",
    "Error: x\r\n    at pay (file:///C:/Program%20Files/shop/pay.js:8:1)\r",
    "\u001b[90m    at pay (/srv/\u001b[4mpay.js\u001b[24m:3:1)\u001b[39m",
  ),
  ...of(
    "node: timestamps in front of the lines",
    "Error",
    "2026-03-01T10:00:00.000Z Error: x\n2026-03-01T10:00:00.000Z     at refund (/srv/refund.js:3:1)",
    "10:00:00 [error]     at refund (/srv/refund.js:4:1)",
    "    at refund (/srv/refund.js:4:1)",
  ),
  ...of(
    "deno and bun",
    "Error",
    "error: Uncaught Error: x\n    at serveDoor (file:///srv/serve-door.ts:3:9)\n    at ext:core/01_core.js:2:1",
    "      at serveDoor (/srv/serve-door.ts:3:9)\n      at native:1:11",
  ),
  ...of(
    "a worker",
    "Error",
    "Error: x\n    at handleFetch (worker.js:20:11)\n    at async Object.fetch (index.js:10:3)",
    "Error: x\n    at handleFetch (worker.js:25:11)\n    at async Object.fetch (index.js:12:3)",
  ),
  ...of(
    "an extension's and a browser's frames weigh nothing",
    "Error",
    "Error: x\n    at chrome-extension://abcdef/content.js:1:1\n    at drawMap (https://a.example/map-view.js:3:5)",
    "Error: x\n    at drawMap (https://a.example/map-view.js:9:5)\n    at moz-extension://11-22/x.js:1:1",
  ),
  ...of(
    "a message that looks like a frame",
    "Error",
    ["see a.js:1:2", "Error: see a.js:1:2\n    at readMap (/a/map.js:3:5)"],
    ["see b.js:7:9", "Error: see b.js:7:9\n    at readMap (/a/map.js:3:5)"],
  ),
  ...of(
    "pnpm and yarn",
    "Error",
    "Error: x\n    at sell (/srv/sell.js:3:5)\n    at run (/srv/node_modules/.pnpm/koa@2.1.0/node_modules/koa/index.js:1:1)",
    "Error: x\n    at sell (/srv/sell.js:4:5)\n    at run (/srv/.yarn/cache/koa-npm-2.1.0-abc.zip/node_modules/koa/lib/app.js:1:1)",
  ),
];

const go = [
  ...of(
    "go: a generic function",
    "panic",
    "main.Map[...](...)\n\t/a/list.go:12\nmain.main()\n\t/a/main.go:3 +0x1",
    "main.Map[go.shape.int,go.shape.string]({0xc000, 0x1, 0x1}, 0x4b)\n\t/b/list.go:15 +0x1f\nmain.main()\n\t/b/main.go:4 +0x1",
  ),
  ...of(
    "go: a method of a generic type",
    "panic",
    "main.(*Queue[...]).Pop(0xc000010000)\n\t/a/queue.go:12 +0x12",
    "main.(*Queue[go.shape.string_0]).Pop(0xc000020000)\n\t/b/queue.go:15 +0x1f",
  ),
  ...of(
    "go: closures in closures, range functions, method values",
    "panic",
    "main.Start.func1.2()\n\t/a/start.go:1 +0x1\nmain.(*Door).Open-fm()\n\t<autogenerated>:1 +0x25",
    "main.Start.func3.1.1()\n\t/b/start.go:2 +0x1\nmain.(*Door).Open-fm()\n\t<autogenerated>:1 +0x30",
  ),
  ...of(
    "go: cgo",
    "SIGSEGV",
    "runtime.cgocall(0x4a0, 0xc000)\n\t/usr/local/go/src/runtime/cgocall.go:157 +0x4b\nmain._Cfunc_crash()\n\t_cgo_gotypes.go:39 +0x3f\nmain.callC()\n\t/a/c.go:9 +0x1",
    "runtime.cgocall(0x4b0, 0xc001)\n\t/opt/hostedtoolcache/go/1.22.1/x64/src/runtime/cgocall.go:157 +0x4b\nmain._Cfunc_crash()\n\t_cgo_gotypes.go:45 +0x3f\nmain.callC()\n\t/b/c.go:12 +0x1",
  ),
  ...of(
    "go: a module with a version, and a vendored one",
    "panic",
    "github.com/ada/game/door.Open({0x1, 0x2})\n\t/src/game/door/door.go:4 +0x1\ngithub.com/gin-gonic/gin.(*Context).Next(0x1)\n\t/home/ada/go/pkg/mod/github.com/gin-gonic/gin@v1.9.1/context.go:174 +0x2",
    "github.com/ada/game/door.Open({0x3, 0x2})\n\t/builds/door/door.go:5 +0x1\ngithub.com/gin-gonic/gin.(*Context).Next(...)\n\t/builds/vendor/github.com/gin-gonic/gin/context.go:185",
  ),
  ...of(
    "go: a test",
    "panic",
    "game_test.TestOpen(0xc0000)\n\t/a/open_test.go:9 +0x1\ntesting.tRunner(0xc000, 0x5)\n\t/usr/local/go/src/testing/testing.go:1689 +0xfb",
    "game_test.TestOpen(0xc0009)\n\t/b/open_test.go:12 +0x1\ntesting.tRunner(0xc001, 0x6)\n\t/nix/store/abc-go-1.23/share/go/src/testing/testing.go:1700 +0xfb",
  ),
  ...of(
    "go: an unfortunate standard name of the program",
    "panic",
    "main.textParse(0x1)\n\t/a/text.go:3 +0x1",
    "goroutine 7 gp=0xc000 m=3 mp=0xc0 [chan receive, 3 minutes]:\nmain.textParse(0x2)\n\t/b/text.go:3 +0x1",
  ),
];

const jvm = [
  ...of(
    "java: proxies of every kind",
    "java.lang.RuntimeException",
    "\tat com.acme.Bank.pay(Bank.java:3)\n\tat com.acme.Bank$$FastClassBySpringCGLIB$$1f2e3d.invoke(<generated>)\n\tat com.sun.proxy.$Proxy12.pay(Unknown Source)",
    "\tat com.acme.Bank.pay(Bank.java:5)\n\tat jdk.proxy2/jdk.proxy2.$Proxy99.pay(Unknown Source)",
    "\tat com.acme.Bank.pay(Bank.java:5)\n\tat com.acme.Bank$ByteBuddy$a1B2c3.pay(Unknown Source)\n\tat com.acme.Bank$MockitoMock$12345.pay(Unknown Source)\n\tat com.acme.Bank$HibernateProxy$xYz12.pay(Unknown Source)",
    "\tat com.acme.Bank.pay(Bank.java:5)\n\tat com.acme.$Proxy7.pay(Unknown Source)",
  ),
  ...of(
    "java: accessors that are generated",
    "java.lang.reflect.InvocationTargetException",
    "\tat com.acme.Vault.open(Vault.java:3)\n\tat jdk.internal.reflect.GeneratedMethodAccessor12.invoke(Unknown Source)\n\tat com.acme.Vault.access$000(Vault.java:1)",
    "\tat com.acme.Vault.open(Vault.java:4)\n\tat sun.reflect.NativeMethodAccessorImpl.invoke0(Native Method)\n\tat com.acme.Vault.access$100(Vault.java:1)",
    "\tat com.acme.Vault.open(Vault.java:4)\n\tat java.base/jdk.internal.reflect.DirectMethodHandleAccessor.invoke(DirectMethodHandleAccessor.java:103)",
  ),
  ...of(
    "java: causes with the rest in common",
    "java.lang.RuntimeException",
    "java.lang.RuntimeException: a\n\tat com.acme.Shop.sell(Shop.java:3)\nCaused by: java.io.IOException: b\n\tat com.acme.Till.open(Till.java:9)\n\t... 12 more",
    "java.lang.RuntimeException: c\n\tat com.acme.Shop.sell(Shop.java:4)\nCaused by: java.io.IOException: d\n\tat com.acme.Till.open(Till.java:8)\n\t... 7 common frames omitted",
  ),
  ...of(
    "java: a loader's name, a module with a version",
    "java.lang.Error",
    "\tat app//com.acme.Safe.lock(Safe.java:3)\n\tat acme.core@1.2.3/com.acme.Safe.turn(Safe.java:5)",
    "\tat com.acme.Safe.lock(Safe.java:4)\n\tat acme.core@1.3.0/com.acme.Safe.turn(Safe.java:7)",
    "2026-03-01 10:00:00 ERROR \tat com.acme.Safe.lock(Safe.java:4)\n2026-03-01 10:00:00 ERROR \tat com.acme.Safe.turn(Safe.java:7)",
  ),
  ...of(
    "java: anonymous and local classes are renumbered",
    "java.lang.Error",
    "\tat com.acme.Menu$1.run(Menu.java:3)\n\tat com.acme.Menu.show(Menu.java:5)",
    "\tat com.acme.Menu$4.run(Menu.java:13)\n\tat com.acme.Menu.show(Menu.java:15)",
  ),
  ...of(
    "kotlin: lambdas and suspended functions",
    "kotlin.UninitializedPropertyAccessException",
    "\tat com.acme.ShopKt$sell$2$1.invokeSuspend(Shop.kt:5)\n\tat com.acme.ShopKt.buy$lambda$3(Shop.kt:9)\n\tat com.acme.ShopKt.access$done(Shop.kt:1)",
    "\tat com.acme.ShopKt$sell$3$2.invokeSuspend(Shop.kt:7)\n\tat com.acme.ShopKt.buy$lambda$0(Shop.kt:8)\n\tat com.acme.ShopKt.access$done(Shop.kt:1)",
  ),
  ...of(
    "android: names of a shrinker",
    "java.lang.NullPointerException",
    "\tat a.b.c.d(SourceFile:12)\n\tat android.os.Handler.dispatchMessage(Handler.java:106)",
    "\tat a.b.c.d(r8-map-id-abc123:14)\n\tat android.app.ActivityThread.main(ActivityThread.java:8000)",
  ),
  ...of(
    "scala and clojure",
    "scala.MatchError",
    "\tat shop.Till$.$anonfun$open$1(Till.scala:3)\n\tat scala.collection.immutable.List.map(List.scala:246)\n\tat shop.core$fn__1234.invoke(core.clj:9)",
    "\tat shop.Till$.$anonfun$open$3(Till.scala:4)\n\tat shop.core$fn__987.invoke(core.clj:10)",
  ),
];

const dotnet = [
  ...of(
    ".NET: iterators, generics, local functions",
    "System.ArgumentException",
    "   at Shop.Cart.<Items>d__3.MoveNext() in C:\\src\\Cart.cs:line 9\n   at Shop.Cart.Add[T](T item)\n   at Shop.Cart.<Total>g__Sum|5_0(Int32 n)\n   at Shop.Cache`2.Get(TKey key)",
    "   at Shop.Cart.<Items>d__8.MoveNext() in /b/Cart.cs:line 12\n   at Shop.Cart.Add[T](T item, Int32 count)\n   at Shop.Cart.<Total>g__Sum|7_1(Int32 n)\n   at Shop.Cache`2.Get(TKey key)",
    "   at Shop.Cart.<Items>d__8.MoveNext()\n   at Shop.Cart.Add[T](T item)\n   at Shop.Cart.<Total>g__Sum|7_1(Int32 n)\n   at Shop.Cache`2[[System.String, mscorlib],[System.Int32, mscorlib]].Get(TKey key)",
  ),
  ...of(
    ".NET: the new format of async methods",
    "System.TimeoutException",
    "   at Shop.Mail.SendAsync(String to) in C:\\my src\\Mail.cs:line 9\n   at Shop.Mail.<>c__DisplayClass3_0.<<Start>b__0>d.MoveNext() in C:\\my src\\Mail.cs:line 20",
    "   at Shop.Mail.SendAsync(String to) in /b/Mail.cs:line 10\n   at Shop.Mail.<>c__DisplayClass5_0.<<Start>b__1>d.MoveNext() in /b/Mail.cs:line 25",
  ),
  ...of(
    ".NET: other languages",
    "System.Exception",
    "   bei Shop.Lager.Holen(Int32 n) in C:\\src\\Lager.cs:Zeile 9.",
    "   à Shop.Lager.Holen(Int32 n) dans C:\\src\\Lager.cs:ligne 12",
    "   at Shop.Lager.Holen(Int32 n) in C:\\src\\Lager.cs:line 12",
  ),
  ...of(
    ".NET: constructors, operators, nested types",
    "System.Exception",
    "   at Shop.Order..ctor(Int32 n)\n   at Shop.Order.Line.op_Addition(Line a, Line b)\n   at Shop.Order.Line..cctor()\n   at lambda_method12(Closure , Object )",
    "   at Shop.Order..ctor(Int32 n) in D:\\Order.cs:line 3\n   at Shop.Order.Line.op_Addition(Line a, Line b)\n   at Shop.Order.Line..cctor()\n   at lambda_method97(Closure , Object )",
  ),
  ...of(
    "Unity: coroutines",
    "NullReferenceException",
    "Boss+<Attack>d__7.MoveNext () (at Assets/Boss.cs:12)\nUnityEngine.SetupCoroutine.InvokeMoveNext (System.Collections.IEnumerator enumerator, System.IntPtr returnValueAddress) (at <3f2a>:0)",
    "Boss+<Attack>d__9.MoveNext () (at Assets/Boss.cs:14)\nUnityEngine.SetupCoroutine.InvokeMoveNext (System.Collections.IEnumerator enumerator, System.IntPtr returnValueAddress) (at /home/bokken/build/Coroutines.cs:17)",
  ),
  ...of(
    "Unity: its log, with the method of the log call",
    "Exception",
    "UnityEngine.Debug:LogException(Exception)\nMenu:Show(String) (at Assets/Menu.cs:3)",
    "UnityEngine.Debug:LogException (System.Exception)\nMenu:Show (string) (at Assets/Menu.cs:7)",
  ),
  ...of(
    "Unity: IL2CPP",
    "NullReferenceException",
    "  at Shopkeeper.Sell (System.Int32 n) [0x00000] in <00000000000000000000000000000000>:0 ",
    "Shopkeeper.Sell (System.Int32 n) (at <00000000000000000000000000000000>:0)",
  ),
];

const native = [
  ...of(
    "gdb: methods, templates, threads",
    "SIGSEGV",
    "Thread 1 (Thread 0x7f (LWP 12)):\n#0  0x00005555 in Shop::Cart::add (this=0x0, item=...) at src/cart.cpp:9\n#1  0x00005556 in Shop::run<int>(int) () at src/run.cpp:5\n#2  0x00005557 in Shop::(anonymous namespace)::loop () at src/run.cpp:15",
    "Thread 7 (LWP 99):\n#0  Shop::Cart::add (this=0x1, item=...) at /b/src/cart.cpp:10\n#1  0x00005558 in Shop::run<int>(int) () at /b/src/run.cpp:6\n#2  0x00005559 in Shop::(anonymous namespace)::loop () at /b/src/run.cpp:16\n#3  0x1 in __libc_start_call_main () from /usr/lib/libc.so.6",
  ),
  ...of(
    "AddressSanitizer: a use after free",
    "heap-use-after-free",
    "==123==ERROR: AddressSanitizer: heap-use-after-free on address 0x602000000010\n    #0 0x55d in take_item(Item*) /src/items.cpp:12:5\n    #1 0x55e in main /src/main.cpp:5:3",
    "==99==ERROR: AddressSanitizer: heap-use-after-free on address 0x603000000010\n    #0 0x45d in __interceptor_memcpy (/usr/lib/libasan.so.8+0x123)\n    #1 0x46d in take_item(Item*) /b/items.cpp:14:5\n    #2 0x46e in main /b/main.cpp:6:3",
  ),
  ...of(
    "glibc: mangled names and offsets",
    "SIGABRT",
    "./shop(_ZN4Shop4sellEi+0x1d) [0x401136]\n/lib/libc.so.6(abort+0xdf)[0x7f]",
    "/opt/shop/bin/shop(_ZN4Shop4sellEi+0x2f)[0x55aa]",
    "/opt/my shop/shop(_ZN4Shop4sellEi+0x2f) [0x55aa]",
  ),
  ...of(
    "Apple: a crash report without line numbers, Swift and Objective-C",
    "EXC_CRASH",
    "Thread 0 Crashed:\n0   libsystem_kernel.dylib        \t       0x1a2b3c4d0 __pthread_kill + 8\n1   Shop                          \t       0x104eb1234 -[Cart addItem:] + 120\n2   Shop                          \t       0x104eb1299 closure #1 in Cart.load() + 40",
    "1   Shop                          \t       0x100eb0000 -[Cart addItem:] + 44\n2   Shop                          \t       0x100eb1299 closure #2 in Cart.load() + 48\n3   UIKitCore                     \t       0x1aa -[UIApplication run] + 1",
  ),
  ...of(
    "Apple: an app whose name has a blank",
    "EXC_BAD_ACCESS",
    "2   My Shop   0x0000000104ea1234 Shelf.fill() + 123 (Shelf.swift:12)",
    "5   My Shop   0x0000000104ea9999 Shelf.fill() + 99 (Shelf.swift:13)",
  ),
  ...of(
    "Android: libraries inside a package, and Java below them",
    "SIGABRT",
    "#00 pc 0001 /apex/com.android.runtime/lib64/bionic/libc.so (abort+164) (BuildId: aa)\n#01 pc 00000000000a1b2c  /data/app/~~x==/com.shop-1==/base.apk!libshop.so (offset 0x1000) (Shop_sell(int)+12) (BuildId: bb)",
    "#02 pc 00000000000a9999  /data/app/~~y==/com.shop-2==/split_config.arm64.apk!libshop.so (offset 0x2000) (Shop_sell(int)+40)",
  ),
  ...of(
    "Unreal: modules with dashes and unknown functions",
    "Assertion failed",
    "UE4Editor-MyGame.dll!AShop::Sell() [D:\\g\\Shop.cpp:12]\nUE4Editor-Core.dll!UnknownFunction [unknown]",
    "0x00007ffb1 UE4Editor-MyGame.dll!AShop::Sell() [e:\\h\\shop.cpp:13]\nUE4Editor-Engine.dll!UWorld::Tick() [d:\\x.cpp:1]",
    "[2026.03.01-10.00.00:000][  5]LogWindows: Error: [Callstack] 0x00007ffb1 UE4Editor-MyGame.dll!AShop::Sell() [e:\\h\\shop.cpp:13]",
  ),
  ...of(
    "Windows: a debugger",
    "0xC0000005",
    "00 00000012`3456789a 00007ff6`12345678 shop!Shop::Rob+0x1d [C:\\src\\rob.cpp @ 12]\n01 00000012`3456789b 00007ff6`12345679 KERNEL32!BaseThreadInitThunk+0x14",
    "shop.exe!Shop::Rob(int n) Line 14\nkernel32.dll!BaseThreadInitThunk()",
  ),
  ...of(
    "Rust: generics, implementations, async, and crates",
    "panic",
    "   4: <shop::Cart<T> as shop::Total>::total\n             at ./src/cart.rs:3:1\n   5: shop::serve::{{closure}}::{{closure}}\n             at ./src/serve.rs:3:1\n   6: tokio::runtime::task::raw::poll\n             at /home/ada/.cargo/registry/src/index.crates.io-6f17d22bba15001f/tokio-1.35.0/src/runtime/task/raw.rs:1:1",
    "   9:     0x55d5a8e7f0c1 - <shop::Cart<T> as shop::Total>::total::h0123456789abcdef\n                               at /b/src/cart.rs:4:1\n  10:     0x55d5a8e7f0c2 - shop::serve::{{closure}}::h0123456789abcdee\n                               at /b/src/serve.rs:5:1\n  11: core::ops::function::FnOnce::call_once",
  ),
  ...of(
    "native: addresses only",
    "SIGSEGV",
    "./bare(+0x1139) [0x55aa01]\n/lib/libc.so.6(+0x123)[0x7f]",
    "/opt/bare(+0x1145)[0x55bb01]",
  ),
];

const scripts = [
  ...of(
    "Ruby: before and after 3.4",
    "NoMethodError",
    "/srv/app/models/cart.rb:12:in `total'\n/srv/app/models/cart.rb:9:in `each'\n/usr/local/bundle/gems/rack-2.2.8/lib/rack/sendfile.rb:110:in `call'",
    "/srv/app/models/cart.rb:13:in 'Cart#total'\n/srv/app/models/cart.rb:9:in 'Array#each'\n/usr/local/bundle/gems/rack-3.0.0/lib/rack/sendfile.rb:110:in 'Rack::Sendfile#call'",
    "\tfrom C:/shop/app/models/cart.rb:13:in `block (2 levels) in total'\n\tfrom C:/shop/app/models/cart.rb:9:in `each'",
  ),
  ...of(
    "PHP: closures, statics, messages",
    "TypeError",
    "#0 /srv/shop/Till.php(12): Shop\\Till::open(NULL)\n#1 [internal function]: Shop\\Till->Shop\\{closure}(Array)\n#2 /srv/vendor/laravel/framework/x.php(1): array_map(Object(Closure), Array)\n#3 {main}",
    "#0 C:\\my shop\\Till.php(14): Shop\\Till::open(Object(Shop\\Door))\n#1 [internal function]: Shop\\Till->Shop\\{closure}(Array)\n#2 {main}",
  ),
  ...of(
    "PHP 8.4: named closures",
    "ValueError",
    "#0 /srv/Shelf.php(12): {closure:/srv/Shelf.php:9}(1)\n#1 {main}",
    "#0 /app/Shelf.php(17): {closure:/app/Shelf.php:14}(2)\n#1 {main}",
  ),
  ...of(
    "Elixir: anonymous functions, Erlang's own traces",
    "ArgumentError",
    '    (shop 0.1.0) lib/shop/till.ex:12: anonymous fn/2 in Shop.Till.open/1\n    (elixir 1.15.0) lib/enum.ex:2510: Enum."-reduce/3-lists^foldl/2-0-"/3',
    "    (shop 0.1.3) lib/shop/till.ex:15: anonymous fn/2 in Shop.Till.open/1\n    (elixir 1.17.0) lib/enum.ex:2531: Enum.each/2",
  ),
  ...of(
    "Erlang",
    "badmatch",
    '[{till,open,1,[{file,"src/till.erl"},{line,12}]},{gen_server,try_handle_call,4,[{file,"gen_server.erl"},{line,1123}]}]',
    '[{till,open,1,[{file,"/b/src/till.erl"},{line,15}]}]',
  ),
  ...of(
    "Perl: Carp, and a handle",
    "die",
    'no at /srv/my till.pl line 12, <STDIN> line 7.\n\tmain::fill("a, b (c)", undef) called at /srv/my till.pl line 20',
    'no at C:\\till\\my till.pl line 15.\n\tmain::fill("x") called at C:\\till\\my till.pl line 22',
  ),
  ...of(
    "GDScript: errors of Godot 4",
    "SCRIPT ERROR",
    "          at: fill_shelf (res://shop/shelf.gd:12)\n          GDScript backtrace (most recent call first):\n              [0] fill_shelf (res://shop/shelf.gd:12)",
    "   at: fill_shelf (res://shop/shelf.gd:15)",
    "0:00:01:0123   fill_shelf: Invalid call.\n  <GDScript Source>shelf.gd:15 @ fill_shelf()",
  ),
  ...of(
    "Lua: upvalues, methods, strings, and versions",
    "error",
    "\t[C]: in function 'error'\n\tshop/shelf.lua:12: in upvalue 'fill'\n\t(...tail calls...)\n\tshop/shelf.lua:9: in function <shop/shelf.lua:8>",
    "\t[C]: in function 'error'\n\t/b/shop/shelf.lua:13: in function 'fill'\n\t/b/shop/shelf.lua:10: in function </b/shop/shelf.lua:9>",
    "\t[C]: in function 'error'\n\t/b/shop/shelf.lua:13: in local 'fill'\n\t/b/shop/shelf.lua:10: in function </b/shop/shelf.lua:9>",
  ),
  ...of(
    "Dart: async gaps, and stack_trace's format",
    "StateError",
    "#0      Shelf.fill.<anonymous closure> (package:shop/shelf.dart:12:5)\n<asynchronous suspension>\n#1      Shelf.fill (package:shop/shelf.dart:9)\n#2      State.setState (package:flutter/src/widgets/framework.dart:1150:30)",
    "#0      Shelf.fill.<anonymous closure> (package:shop/shelf.dart:13:5)\n<asynchronous suspension>\n#1      Shelf.fill (package:shop/shelf.dart:10)\n<asynchronous suspension>",
    "package:shop/shelf.dart 13:5  Shelf.fill.<fn>\npackage:shop/shelf.dart 10:3  Shelf.fill\n===== asynchronous gap =====",
  ),
];

export const SHAPES: Sample[] = [
  ...python,
  ...javascript,
  ...go,
  ...jvm,
  ...dotnet,
  ...native,
  ...scripts,
];
