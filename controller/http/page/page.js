// SPDX-License-Identifier: Apache-2.0
// The page of `ovs-dhcpd run --http`: asks the daemon what is new, and shows it.
//
// Only textContent is written, and what a guest, a row or a file says is escaped by `shown`.
"use strict";

const POLL_MS = 1000; // between two questions what is new
const STATUS_MS = 3000;
const TRAFFIC_MS = 5000;
const WHOLE_MS = 30000; // after which all leases are read, in case something was missed
const SOON_MS = 5000; // the same, where something is known to have been missed
const TIMEOUT_MS = 10000;
const MAX_PORTS = 50; // that are asked for by name
const MAX_URL = 6000;
const LINES = 200; // of the feed
const ANNOUNCE_MS = 10000; // between two sentences for who hears the page
const REASONS = 5; // with a line of their own in the plot

const STATES = {
  assigned: "plain", offered: "wait", bound: "good", expired: "bad",
  declined: "bad", released: "plain", refused: "bad",
};
const VERDICTS = { ok: "good", warning: "wait", "not known": "plain", broken: "bad" };
const NOT_KNOWN = "not known";

const get = (id) => document.getElementById(id);

/** What somebody else wrote, with escapes for what cannot be seen. */
function shown(text) {
  return String(text).replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu,
    (found) => `\\u{${found.codePointAt(0).toString(16)}}`);
}

function make(name, classes = "", text = "") {
  const element = document.createElement(name);
  if (classes) element.className = classes;
  if (text !== "") element.textContent = text;
  return element;
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

async function ask(path) {
  const answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!answer.ok) throw new Error(`${answer.status}: ${(await answer.text()).trim()}`);
  return answer.json();
}

/** By how much the daemon's clock is ahead of ours. */
let ahead_ms = 0;
const now = () => Date.now() + ahead_ms;

// -- The leases

const rows = new Map(); // by what tells them apart
const byPort = new Map(); // the keys of a port's rows
const touched = new Set(); // ports whose leases are to be read
let wholeAt = 0, wholeLast = -Infinity;
const collator = new Intl.Collator("en", { numeric: true });

const keyOf = (lease) => JSON.stringify([lease.port, lease.bridge, lease.vlan, lease.family, lease.mac]);

const COLUMNS = [
  ["port", (lease) => lease.port],
  ["network more", (lease) => lease.network],
  ["mac more", (lease) => lease.mac ?? "any"],
  ["address", (lease) => lease.address ?? lease.prefixes.join(" ")],
  ["state", (lease) => lease.state ?? NOT_KNOWN],
  ["left", () => ""],
  ["last most", lastSaid],
  ["asked most", (lease) => (lease.requests === null ? NOT_KNOWN : String(lease.requests))],
  ["name most", (lease) => [lease.host_name, lease.vendor_class && `(${lease.vendor_class})`].filter(Boolean).join(" ")],
];

function lastSaid(lease) {
  const { last_message: message, last_answer: answer } = lease;
  if (message === null || answer === null) return message ?? "";
  return answer.startsWith("DHCP") ? answer : `${message}: ${answer}`;
}

function newRow(lease) {
  const tr = make("tr");
  const cells = COLUMNS.map(([classes]) => {
    const cell = tr.appendChild(make(classes === "port" ? "th" : "td", classes));
    return cell;
  });
  cells[0].scope = "row";
  cells[0].append(portButton(lease.port));
  cells[4].append(make("span"));
  return { tr, cells, left: cells[5], key: keyOf(lease), text: "", lease: null };
}

function portButton(port) {
  const button = make("button", "port", shown(port));
  button.type = "button";
  button.setAttribute("aria-haspopup", "dialog");
  button.addEventListener("click", () => explain(port));
  return button;
}

function fill(row, lease) {
  row.lease = lease;
  COLUMNS.forEach(([classes, read], index) => {
    if (classes === "port" || classes === "left") return;
    const text = shown(read(lease));
    if (classes === "state") {
      const word = row.cells[index].firstChild;
      setText(word, text);
      word.className = `word ${STATES[lease.state] ?? "plain"}`;
    } else {
      setText(row.cells[index], text);
    }
  });
  row.text = [
    lease.port, lease.interface, lease.bridge, lease.network, lease.mac, lease.address,
    ...lease.addresses, ...lease.prefixes, lease.state ?? NOT_KNOWN, lease.host_name, lease.vendor_class,
    lease.vlan === null ? "" : `vlan ${lease.vlan}`, `ipv${lease.family}`,
  ].filter(Boolean).join("\n").toLowerCase();
  row.expires_ms = lease.expires ? Date.parse(lease.expires) : NaN;
  count(row);
  show(row);
}

/** The time that a lease has left. */
function count(row) {
  const { expires, state } = row.lease;
  let text = "";
  if (expires === "never") text = "for ever";
  else if (expires && state === "bound") {
    const left_ms = row.expires_ms - now();
    if (left_ms <= 0) touched.add(row.lease.port);
    text = duration(left_ms / 1000);
  } else if (expires && state === "expired") text = "none";
  setText(row.left, text);
}

function duration(seconds) {
  const left = Math.max(0, Math.floor(seconds));
  for (const [size, unit, smaller, next] of [[86400, "d", 3600, "h"], [3600, "h", 60, "m"], [60, "m", 1, "s"]]) {
    if (left >= size) return `${Math.floor(left / size)}${unit} ${Math.floor((left % size) / smaller)}${next}`;
  }
  return `${left}s`;
}

function drop(row) {
  row.tr.remove();
  rows.delete(row.key);
  const keys = byPort.get(row.lease.port);
  keys.delete(row.key);
  if (!keys.size) byPort.delete(row.lease.port);
}

function add(lease, before) {
  const row = newRow(lease);
  fill(row, lease);
  rows.set(row.key, row);
  if (!byPort.has(lease.port)) byPort.set(lease.port, new Set());
  byPort.get(lease.port).add(row.key);
  get("leases").insertBefore(row.tr, before);
  return row;
}

/** All leases there are: rows stay where they are, so that none loses the focus. */
function takeAll(leases) {
  leases.sort((a, b) => collator.compare(a.port, b.port) || a.family - b.family);
  const keys = new Set(leases.map(keyOf));
  for (const row of [...rows.values()]) if (!keys.has(row.key)) drop(row);
  let next = get("leases").firstChild;
  for (const lease of leases) {
    const row = rows.get(keyOf(lease));
    if (row && row.tr === next) {
      fill(row, lease);
      next = next.nextSibling;
    } else if (row) {
      fill(row, lease);
      get("leases").insertBefore(row.tr, next);
    } else {
      add(lease, next);
    }
  }
}

function takeSome(ports, leases) {
  const keys = new Set(leases.map(keyOf));
  for (const lease of leases) {
    const row = rows.get(keyOf(lease));
    if (row) {
      fill(row, lease);
    } else {
      const others = [...(byPort.get(lease.port) ?? [])].map((key) => rows.get(key).tr);
      if (!others.length) wholeAt = 0; // its place is not known
      add(lease, others.length ? others.at(-1).nextSibling : null);
    }
  }
  for (const port of ports) {
    for (const key of [...(byPort.get(port) ?? [])]) if (!keys.has(key)) drop(rows.get(key));
  }
}

async function readLeases() {
  const began = performance.now();
  if (began >= wholeAt) {
    touched.clear();
    const found = await ask("leases.json");
    ahead_ms = Date.parse(found.time) - Date.now();
    takeAll(found.leases);
    wholeLast = performance.now();
    wholeAt = wholeLast + WHOLE_MS;
  } else if (touched.size > MAX_PORTS) {
    readAllSoon();
    return;
  } else if (touched.size) {
    const ports = [];
    let path = "leases.json";
    for (const port of touched) {
      const word = `${ports.length ? "&" : "?"}port=${encodeURIComponent(port.toWellFormed())}`;
      if (ports.length && path.length + word.length > MAX_URL) break;
      path += word;
      ports.push(port);
    }
    for (const port of ports) touched.delete(port);
    takeSome(ports, (await ask(path)).leases);
  } else {
    return;
  }
  showCount();
}

function readAllSoon() {
  wholeAt = Math.min(wholeAt, wholeLast + SOON_MS);
}

// -- The filter

let words = [];

const fits = (text) => words.every((word) => text.includes(word));

function show(row) {
  // Whose button has the focus stays until it has it no more.
  const hidden = !fits(row.text) && !row.tr.contains(document.activeElement);
  if (row.tr.hidden !== hidden) row.tr.hidden = hidden;
}

function showCount() {
  let seen = 0;
  for (const row of rows.values()) if (!row.tr.hidden) seen += 1;
  const all = rows.size.toLocaleString("en");
  setText(get("count"), words.length ? `${seen.toLocaleString("en")} of ${all} leases` : `${all} leases`);
}

function filter() {
  words = get("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const row of rows.values()) show(row);
  for (const line of get("feed").children) line.hidden = !fits(line.dataset.text);
  showCount();
}

// -- What is going on

let next = null, paused = false, announced = -Infinity, unannounced = 0;

async function readFeed() {
  const found = await ask(next === null ? "watch.json" : `watch.json?next=${next}&last=${LINES}`);
  next = found.next;
  for (const each of found.transactions) if (each.port !== null) touched.add(each.port);
  if (found.missed) readAllSoon();
  if (paused || !(found.transactions.length || found.missed)) return;
  const lines = found.transactions.map(lineOf).reverse();
  const feed = get("feed");
  feed.prepend(...lines);
  while (feed.children.length > LINES && !feed.lastChild.contains(document.activeElement)) feed.lastChild.remove();
  if (found.missed) setText(get("feed-note"), `${found.missed.toLocaleString("en")} more were not shown`);
  announce(found.transactions);
}

function lineOf(transaction) {
  const line = make("li");
  const { port, network, vlan, mac, asked, xid, answer, address, reason } = transaction;
  const time = line.appendChild(make("time", "", transaction.time.slice(11, 23)));
  time.dateTime = transaction.time;
  line.append(" ", port === null ? make("span", "", `${shown(transaction.bridge)} port ${transaction.ofport}`) : portButton(port));
  const where = [network === null ? "" : `(${shown(network)})`, vlan === null ? "" : `VLAN ${vlan}`, mac];
  line.append(` ${where.filter(Boolean).join(" ")}: ${asked ?? "another packet"}: `);
  const what = [answer ?? `no answer: ${shown(reason)}`, address].filter(Boolean).join(" ");
  line.append(make("span", answer === null ? "silent" : "", what), `, ${transaction.took_us} µs`);
  line.dataset.text = [port, network, transaction.bridge, mac, address, asked, answer, reason, xid].filter(Boolean).join("\n").toLowerCase();
  line.hidden = !fits(line.dataset.text);
  return line;
}

/** A sentence now and then for who hears the page: each line would be too many. */
function announce(transactions) {
  unannounced += transactions.length;
  const last = transactions.at(-1);
  if (!last || performance.now() < announced + ANNOUNCE_MS) return;
  announced = performance.now();
  const lines = unannounced === 1 ? "1 request" : `${unannounced} requests`;
  setText(get("announce"), `${lines}; the last: ${shown(last.port ?? last.mac)}, ${last.answer ?? "no answer"}`);
  unannounced = 0;
}

// -- Health

async function readStatus() {
  const found = await ask("status.json");
  setText(get("program"), found.program.replace(/^ovs-dhcpd /, ""));
  const lights = [[found.healthy ? "good" : "bad", found.healthy ? "healthy" : "not healthy", ""]];
  for (const bridge of found.bridges) {
    const kind = bridge.trouble ? "bad" : bridge.active ? "good" : "wait";
    lights.push([kind, `switch ${bridge.name}`, bridge.sentences.join(", ") || bridge.trouble]);
  }
  for (const source of found.sources) {
    lights.push([source.trouble ? "bad" : "good", `source ${source.name}`, source.trouble || source.state]);
  }
  if (found.last_error) lights.push(["plain", "last error", `${found.last_error.time}: ${found.last_error.text}`]);
  const list = get("lights");
  while (list.children.length > lights.length) list.lastChild.remove();
  while (list.children.length < lights.length) list.append(make("li"));
  lights.forEach(([kind, name, text], index) => {
    list.children[index].className = kind;
    setText(list.children[index], shown(text ? `${name}: ${text}` : name));
  });
  const counted = {};
  for (const { lease } of rows.values()) counted[lease.state] = (counted[lease.state] ?? 0) + 1;
  const differs = (state) => (found.counts[`leases ${state}`] ?? 0) !== (counted[state] ?? 0);
  if (Object.keys(STATES).some(differs)) readAllSoon();
}

// -- The plot

const SVG = "http://www.w3.org/2000/svg";
let traffic = null;

function draw(parent, name, attributes, text = "") {
  const element = parent.appendChild(document.createElementNS(SVG, name));
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text) element.textContent = text;
  return element;
}

const sum = (numbers) => numbers.reduce((all, number) => all + (number ?? 0), 0);

/** The answers, and silences by reason, the most frequent first, the others as one. */
function series(found) {
  const silences = Object.entries(found.silences).sort((a, b) => sum(b[1]) - sum(a[1]));
  const others = silences.splice(REASONS);
  if (others.length) {
    const together = found.answers.map((_, at) => (others[0][1][at] === null ? null : sum(others.map(([, numbers]) => numbers[at]))));
    silences.push(["other reasons", together]);
  }
  return silences;
}

async function readTraffic() {
  traffic = await ask("traffic.json");
  plot();
}

function plot() {
  if (!traffic) return;
  const { answers, span_s: span } = traffic;
  const silences = series(traffic);
  const svg = get("plot");
  svg.replaceChildren();
  const width = svg.clientWidth, height = svg.clientHeight;
  const left = 8, foot = 18, head = 16;
  const half = (height - foot) * 0.6;
  const x = (at) => left + (at * (width - 2 * left)) / (answers.length - 1);
  const area = (top, bottom, numbers, title) => {
    const most = Math.max(1, ...numbers.flat().map((each) => each ?? 0)) / span;
    draw(svg, "line", { class: "axis", x1: left, x2: width - left, y1: bottom, y2: bottom });
    draw(svg, "text", { x: left, y: top + 11 }, `${title}, up to ${rate(most)} a second`);
    return (value) => bottom - (value / span / most) * (bottom - top - head);
  };
  // The last span goes on: it is left out, as it would always seem to fall.
  const lines = (numbers, y) => {
    let path = "", pen = "M";
    numbers.slice(0, -1).forEach((value, at) => {
      if (value === null) { pen = "M"; return; }
      path += `${pen}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
      pen = "L";
    });
    return path;
  };
  const first = answers.findIndex((value) => value !== null);
  const yAnswers = area(0, half, [answers], "answers");
  if (first >= 0 && first < answers.length - 1) {
    const path = lines(answers, yAnswers);
    draw(svg, "path", { class: "answers", d: `${path}V${half}H${x(first).toFixed(1)}Z` });
  }
  const ySilences = area(half + 4, height - foot, silences.map(([, numbers]) => numbers), "no answer");
  silences.forEach(([, numbers], index) => draw(svg, "path", { class: `reason r${index}`, d: lines(numbers, ySilences) }));
  for (const [minutes, anchor] of [[15, "start"], [10, "middle"], [5, "middle"], [0, "end"]]) {
    const at = answers.length - 1 - (minutes * 60) / span;
    const text = minutes ? `${minutes} min ago` : "now";
    draw(svg, "text", { x: x(Math.max(0, at)), y: height - 4, "text-anchor": anchor }, text);
  }
  const silent = sum(silences.map(([, numbers]) => sum(numbers)));
  const total = sum(answers);
  setText(get("plot-text"), `${total.toLocaleString("en")} answers, ${silent.toLocaleString("en")} requests without one.`);
  totals([["answers", answers, "answers"], ...silences.map(([reason, numbers], index) => [reason, numbers, `reason r${index}`])], span);
}

const rate = (value) => value.toLocaleString("en", { maximumSignificantDigits: 3 });

function totals(lines, span) {
  const body = get("totals");
  while (body.children.length > lines.length) body.lastChild.remove();
  while (body.children.length < lines.length) {
    const tr = body.appendChild(make("tr"));
    const head = tr.appendChild(make("th"));
    head.scope = "row";
    const key = draw(head, "svg", { class: "key", "aria-hidden": "true", viewBox: "0 0 30 10" });
    draw(key, "line", { x1: 0, x2: 30, y1: 5, y2: 5 });
    head.append(make("span"));
    tr.append(make("td", "number"), make("td", "number"));
  }
  lines.forEach(([name, numbers, classes], index) => {
    const [head, second, total] = body.children[index].children;
    head.querySelector("line").setAttribute("class", classes);
    setText(head.querySelector("span"), shown(name));
    setText(second, rate((numbers.at(-2) ?? 0) / span));
    setText(total, sum(numbers).toLocaleString("en"));
  });
}

// -- Why

let asking = null; // the port

async function explain(port) {
  asking = port;
  const dialog = get("why");
  setText(get("why-title"), `${shown(port)}: asking`);
  get("why-mend").hidden = true;
  get("why-links").replaceChildren();
  showLeases(port);
  if (!dialog.open) dialog.showModal();
  dialog.setAttribute("aria-busy", "true");
  try {
    const chain = await ask(`why.json?port=${encodeURIComponent(port.toWellFormed())}`);
    if (asking === port) showChain(chain);
  } catch (error) {
    if (asking === port) setText(get("why-title"), `${shown(port)}: ${shown(error.message)}`);
  } finally {
    dialog.setAttribute("aria-busy", "false");
  }
}

function showChain(chain) {
  setText(get("why-title"), shown(chain.headline));
  get("why-mend").hidden = !chain.mend;
  setText(get("why-mend").querySelector("code"), shown(chain.mend));
  get("why-links").replaceChildren(...chain.links.map((link) => {
    const tr = make("tr");
    const head = tr.appendChild(make("th", "", shown(link.link)));
    head.scope = "row";
    tr.appendChild(make("td")).append(make("span", `word ${VERDICTS[link.verdict] ?? "plain"}`, link.verdict));
    tr.append(make("td", "", shown(link.mend && link.mend !== chain.mend ? `${link.text}; type: ${link.mend}` : link.text)));
    return tr;
  }));
}

const FIELDS = [
  "interface", "bridge", "ofport", "vlan", "network", "mac", "address", "addresses", "prefixes", "state", "since",
  "expires", "last_message", "last_answer", "last_at", "requests", "requests_since", "host_name", "vendor_class",
];

/** All that is known of a port's leases, for who has no room for the columns too. */
function showLeases(port) {
  const leases = [...(byPort.get(port) ?? [])].map((key) => rows.get(key).lease);
  get("why-leases").replaceChildren(...leases.flatMap((lease) => {
    const list = make("dl");
    for (const field of FIELDS) {
      const value = Array.isArray(lease[field]) ? lease[field].join(" ") : lease[field];
      if (value === null || value === "") continue;
      list.append(make("dt", "", field.replaceAll("_", " ")), make("dd", "", shown(value)));
    }
    return [make("h3", "", `IPv${lease.family} lease`), list];
  }));
}

// -- The loop

let statusAt = 0, trafficAt = 0, lost = false;

async function step() {
  await readFeed();
  const began = performance.now();
  if (began >= statusAt) { statusAt = began + STATUS_MS; await readStatus(); }
  if (began >= trafficAt) { trafficAt = began + TRAFFIC_MS; await readTraffic(); }
  await readLeases();
}

function say(error) {
  const text = error ? `No answer from the daemon (${shown(error.message)}): what is shown is from before.` : "";
  setText(get("trouble"), text);
  document.documentElement.classList.toggle("old", Boolean(error));
  if (error) lost = true;
  else if (lost) { lost = false; wholeAt = 0; }
}

const wait = (time_ms) => new Promise((done) => { setTimeout(done, time_ms); });

async function run() {
  for (;;) {
    if (!document.hidden) {
      try {
        await step();
        say(null);
      } catch (error) {
        say(error);
      }
    }
    await wait(POLL_MS);
  }
}

get("filter").addEventListener("input", filter);
get("leases").addEventListener("focusout", () => setTimeout(() => {
  for (const row of rows.values()) show(row);
  showCount();
}));
get("pause").addEventListener("click", () => {
  paused = !paused;
  get("pause").setAttribute("aria-pressed", String(paused));
  setText(get("feed-note"), paused ? "nothing new is shown" : "");
});
get("why-again").addEventListener("click", () => explain(asking));
get("why-close").addEventListener("click", () => get("why").close());
get("why").addEventListener("close", () => { asking = null; });
document.addEventListener("visibilitychange", () => { if (!document.hidden) wholeAt = 0; });
new ResizeObserver(plot).observe(get("plot"));
setInterval(() => { if (!document.hidden) for (const row of rows.values()) if (!row.tr.hidden) count(row); }, 1000);
run();
