// The guests' page without a network: keeps the files that it is made of, and nothing that anybody
// asked for or was answered. What a guest reserved the page itself keeps (kept.ts).

type Lasting = Event & { waitUntil: (done: Promise<unknown>) => void };
type Asked = Event & { request: Request; respondWith: (answer: Promise<Response>) => void };
type Own = { skipWaiting: () => Promise<void>; clients: { claim: () => Promise<void> } };

// The build writes the list (offline.ts).
const FILES: readonly string[] = ["files of the page"];
const PAGE = "/book";
// The digests in the names: another build keeps its files apart from those of this one.
const CACHE = `book-${FILES.map((one) => one.slice(one.lastIndexOf("-") + 1, one.lastIndexOf("."))).join("")}`;
const worker = self as unknown as Own;

addEventListener("install", (event) => {
  const whole = caches.open(CACHE).then((cache) => cache.addAll([PAGE, "/book-icon.svg", "/book.webmanifest", ...FILES]));
  (event as Lasting).waitUntil(whole.then(() => worker.skipWaiting()));
});

addEventListener("activate", (event) => {
  const others = caches.keys().then((names) => names.filter((one) => one.startsWith("book-") && one !== CACHE));
  const gone = others.then((names) => Promise.all(names.map((one) => caches.delete(one))));
  (event as Lasting).waitUntil(gone.then(() => worker.clients.claim()));
});

addEventListener("fetch", (event) => {
  const { request, respondWith } = event as Asked;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  // The page as its device has it now, so that an upgrade is seen at once; without one, as it was.
  if (request.mode === "navigate" && pathname === PAGE) respondWith.call(event, fetch(request).catch(() => kept(PAGE, request)));
  else if (FILES.includes(pathname)) respondWith.call(event, kept(pathname, request));
});

const kept = async (name: string, request: Request) => (await (await caches.open(CACHE)).match(name)) ?? fetch(request);

export {};
