"use strict";

const board = JSON.parse(document.documentElement.dataset.board);
const words = board.words;
const STALE_AFTER = 7000; // milliseconds: three signs of life
const NEW_FOR = 15; // seconds
const OLD_AFTER = 600; // seconds
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

function markOf(column, card, age) {
  if (age === null) return ["", ""];
  if (!board.ageing.includes(column)) {
    if (age < NEW_FOR) return ["new", words.new];
    return age > OLD_AFTER ? ["old", ""] : ["", ""];
  }
  const due = card.due || WARN_AFTER;
  if (age > Math.max(due, LATE_AFTER)) return ["late", `‼ ${words.late}`];
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
    if (note) item.append(element("span", "note", `${note} `));
  }
  if (card.text) item.append(element("span", "text", card.text));
  return item;
}

function newestFirst(column) {
  return board.ageing.includes(column.name) ? column.cards : [...column.cards].reverse();
}

function drawColumn(column) {
  const section = element("section", board.showsAge ? "detailed" : "");
  section.dataset.column = column.name;
  section.append(element("h2", "", `${column.name} (${column.cards.length})`));
  const list = element("ol");
  section.append(list);
  return [section, list];
}

function fill(list, section, column) {
  const cards = newestFirst(column);
  for (const card of cards) list.append(cardOf(column.name, card));
  const fits = [...list.children].filter(
    (item) => item.offsetTop + item.offsetHeight <= list.offsetTop + list.clientHeight,
  ).length;
  if (fits === 0 || fits >= cards.length) return;
  const pages = Math.ceil(cards.length / fits);
  const begin = (turn % pages) * fits;
  [...list.children].forEach((item, position) => {
    item.hidden = position < begin || position >= begin + fits;
  });
  const end = Math.min(begin + fits, cards.length);
  section.append(element("p", "more", `${begin + 1}–${end} / ${cards.length}`));
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
  if (isStale) banner.textContent = `${words.stale} ${heardAt ? Math.round(silent / 1000) : "…"} s`;
}

function listen() {
  const source = new EventSource(`/events?board=${encodeURIComponent(board.name)}`);
  source.addEventListener("board", (event) => {
    columns = JSON.parse(event.data);
    heardAt = Date.now();
    draw();
    tick();
  });
  source.addEventListener("alive", () => {
    heardAt = Date.now();
    tick();
  });
  source.addEventListener("error", () => {
    // A browser gives up for good on some answers; a monitor on a wall must not.
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 2000);
  });
}

document.title = board.title;
document.getElementById("title").textContent = board.title;
heardAt = Date.now() - STALE_AFTER + 3000; // some time for the first word
setInterval(tick, 1000);
setInterval(() => { turn += 1; draw(); }, PAGE_EVERY);
setInterval(() => { if (board.showsAge) draw(); }, 1000);
tick();
draw();
listen();
