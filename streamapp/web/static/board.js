"use strict";

const board = JSON.parse(document.documentElement.dataset.board);
const words = board.words;
const STALE_AFTER = 7000; // milliseconds: a little more than three times the server's SIGN_OF_LIFE
const NEW_FOR = 60; // seconds, as are those below: the same as of the board in a terminal
const OLD_AFTER = 600;
const WARN_AFTER = 600;
const LATE_AFTER = 900;
const PAGE_EVERY = 8000; // milliseconds that each page of a full column stays

let columns = board.columns.map((name) => ({ name, cards: [] }));
let heardAt = 0;
let turn = 0;

const element = (tag, className, text) => {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text; // never as HTML
  return made;
};

const two = (number) => String(number).padStart(2, "0");
const ageOf = (card) => (card.since ? Math.max(0, (Date.now() - Date.parse(card.since)) / 1000) : null);
const clock = (seconds) => {
  const minutes = Math.floor(seconds / 60);
  if (minutes >= 2880) return `${Math.floor(minutes / 1440)} d`;
  return minutes < 60
    ? `${two(minutes)}:${two(Math.floor(seconds % 60))}`
    : `${Math.floor(minutes / 60)} h ${two(minutes % 60)}`;
};

const isLast = (name) => name === board.columns[board.columns.length - 1];

function markOf(column, card, age) {
  if (age === null) return ["", ""];
  if (!board.ageing.includes(column)) {
    if (!isLast(column)) return ["", ""];
    if (age < NEW_FOR) return ["new", words.new];
    return age > OLD_AFTER ? ["old", ""] : ["", ""];
  }
  const due = card.due || WARN_AFTER;
  if (age > Math.max(due * 1.5, LATE_AFTER)) return ["late", `‼ ${words.late}`];
  return age > due ? ["warn", `⚠ ${words.warn}`] : ["", ""];
}

function cardOf(column, card) {
  const age = ageOf(card);
  const [mark, word] = markOf(column, card, age);
  const item = element("li", mark);
  item.dataset.key = card.key;
  item.append(element("span", "number", `#${card.key}`));
  if (board.showsAge && age !== null) item.append(element("span", "age", clock(age)));
  for (const note of [word, ...(card.notes || [])]) {
    if (note) item.append(element("span", "note", note));
  }
  if (card.text) item.append(element("span", "text", card.text));
  return item;
}

function newestFirst(column) {
  return isLast(column.name) && !board.ageing.includes(column.name) ? [...column.cards].reverse() : column.cards;
}

function drawColumn(column) {
  const section = element("section", isLast(column.name) ? "last" : "");
  section.dataset.column = column.name;
  const heading = element("h2", "", column.name);
  heading.append(element("span", "count", String(column.cards.length)));
  const list = element("ol");
  section.append(heading, list, element("p", "more"));
  return [section, list];
}

// Which cards each page has: [first, one past its last].
function pagesOf(items, height) {
  const pages = [];
  let first = 0;
  items.forEach((item, position) => {
    if (position > first && item.offsetTop + item.offsetHeight - items[first].offsetTop > height) {
      pages.push([first, position]);
      first = position;
    }
  });
  return [...pages, [first, items.length]];
}

function fill(list, section, column) {
  const cards = newestFirst(column);
  for (const card of cards) list.append(cardOf(column.name, card));
  const items = [...list.children];
  const pages = pagesOf(items, list.clientHeight);
  if (pages.length === 1) return;
  const [first, end] = pages[turn % pages.length];
  items.forEach((item, position) => {
    item.hidden = position < first || position >= end;
  });
  section.lastChild.textContent = `${first + 1}–${end} / ${cards.length}`;
}

// For screen readers: what is new in the last column.
function say(before) {
  const name = board.columns[board.columns.length - 1];
  const keys = (all) => all.filter((column) => column.name === name).flatMap((column) => column.cards.map((card) => card.key));
  const known = new Set(keys(before));
  const fresh = keys(columns).filter((key) => !known.has(key));
  if (fresh.length) document.getElementById("said").textContent = `${name}: ${fresh.map((key) => `#${key}`).join(", ")}`;
}

function draw() {
  const main = document.getElementById("columns");
  const drawn = columns.map(drawColumn);
  main.replaceChildren(...drawn.map(([section]) => section));
  drawn.forEach(([section, list], position) => fill(list, section, columns[position]));
}

function tick() {
  const now = new Date();
  document.getElementById("clock").textContent = now.toLocaleTimeString("pt-BR");
  const silent = Date.now() - heardAt;
  const isStale = silent > STALE_AFTER;
  document.getElementById("dot").className = isStale ? "" : "live";
  document.getElementById("word").textContent = isStale ? "" : words.live;
  const banner = document.getElementById("stale");
  banner.hidden = !isStale;
  document.getElementById("columns").className = isStale ? "stale" : "";
  if (isStale) banner.textContent = `${words.stale} ${heardAt ? Math.round(silent / 1000) : "…"} s`;
}

function listen() {
  const source = new EventSource(`/events?board=${encodeURIComponent(board.name)}`);
  source.addEventListener("board", (event) => {
    const before = columns;
    columns = JSON.parse(event.data);
    heardAt = Date.now();
    draw();
    say(before);
    tick();
  });
  source.addEventListener("alive", () => {
    heardAt = Date.now();
    tick();
  });
  source.addEventListener("error", () => {
    // A browser stops reconnecting after some responses; a monitor on a wall must not.
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 2000);
  });
}

document.title = board.title;
document.body.className = board.showsAge ? "detailed" : "wall";
document.getElementById("title").textContent = board.title;
heardAt = Date.now() - STALE_AFTER + 3000; // time for the first event
setInterval(tick, 1000);
setInterval(() => { turn += 1; draw(); }, PAGE_EVERY);
setInterval(() => { if (board.showsAge) draw(); }, 1000);
tick();
draw();
listen();
