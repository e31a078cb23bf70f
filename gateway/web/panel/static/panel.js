/* smppgate panel: what a script makes fresher or quicker. Every page works without it.
   Copy buttons, dialogs in place, charts from the table beside them, live figures. */
"use strict";

const announce = (words) => { document.getElementById("said").textContent = words; };

/* ---- Copy: <button data-copy="what"> ---- */
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    const area = document.createElement("textarea");   // plain http has no clipboard
    area.value = button.dataset.copy;
    button.after(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    button.focus();
  }
  announce(document.getElementById("said").dataset.copied);
  const use = button.querySelector("use"), before = use.getAttribute("href");
  use.setAttribute("href", before.replace(/#.*/, "#i-check"));
  setTimeout(() => use.setAttribute("href", before), 1500);
});

/* ---- Dialogs: <a data-dialog href> shows that page's dialog over this one ---- */
document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-dialog]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  const answer = await fetch(link.href, { headers: { Accept: "text/html" } });
  const found = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("dialog");
  if (!found || answer.redirected) { location.assign(link.href); return; }
  found.removeAttribute("open");
  document.body.append(document.adoptNode(found));
  found.addEventListener("close", () => { found.remove(); link.focus(); });
  found.querySelector("[data-close]").addEventListener("click", (close) => { close.preventDefault(); found.close(); });
  found.showModal();
});
document.addEventListener("keydown", (event) => {        // a dialog that was a page of its own
  if (event.key === "Escape" && !document.querySelector("dialog:modal")) document.querySelector("dialog[open] [data-close]")?.click();
});

/* ---- Charts: <div class="plot-here" data-table="id"> is drawn from that table's cells ---- */
const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const shade = (name) => {                                // light-dark() is resolved by the element, not by the token
  const probe = document.createElement("i");
  probe.className = name;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
};
const figures = (table) => {
  const rows = [...table.tBodies[0].rows].reverse();
  const columns = [rows.map((row) => Number(row.dataset.at) / 1000)];
  for (let at = 1; at < table.tHead.rows[0].cells.length; at++) columns.push(rows.map((row) => Number(row.cells[at].dataset.value)));
  return columns;
};
const axes = (zone, format) => [
  { stroke: shade("muted"), grid: { show: false }, ticks: { show: false }, values: (_u, times) => times.map((at) => format.format(at * 1000)) },
  { stroke: shade("muted"), grid: { stroke: shade("ink-line"), width: 1 }, ticks: { show: false }, size: 48, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 1e5, 1e6] },
];
const draw = (holder) => {
  const table = document.getElementById(holder.dataset.table);
  const [times, ...series] = figures(table), names = [...table.tHead.rows[0].cells].slice(1).map((cell) => cell.textContent);
  const format = new Intl.DateTimeFormat(document.documentElement.lang, { timeZone: holder.dataset.zone,
    ...(holder.dataset.step === "day" ? { day: "numeric", month: "short" } : { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }) });
  holder.replaceChildren();
  const common = { width: holder.clientWidth, legend: { show: false }, cursor: { y: false }, axes: axes(holder.dataset.zone, format), padding: [8, 24, 0, 0] };
  const points = { show: false };
  const bars = uPlot.paths.bars({ size: [0.6, 12] });
  const range = (_u, _low, high) => [0, Math.max(4, Math.ceil((high || 0) * 1.1))];
  const scales = { x: { time: true }, y: { range } };
  new uPlot({ ...common, height: 190, scales, series: [{}, { label: names[0], stroke: shade("ink-accent"), fill: shade("ink-soft"), width: 1.75, points },
    { label: names[1], stroke: shade("ink-ok"), dash: [5, 3], width: 1.75, points }] }, [times, series[0], series[1]], holder);
  new uPlot({ ...common, height: 110, scales, series: [{}, { label: names[2], stroke: shade("ink-bad"), fill: shade("ink-bad"), paths: bars, points },
    { label: names[3], stroke: shade("ink-warn"), width: 1.25, paths: bars, points }] }, [times, series[2], series[3]], holder);
};
const drawAll = () => { if (window.uPlot) document.querySelectorAll(".plot-here").forEach(draw); };
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
let resizing;
addEventListener("resize", () => { clearTimeout(resizing); resizing = setTimeout(drawAll, 150); });

/* ---- Live figures: <… data-live="/path/of/events"> holds elements with data-figure="name" ---- */
const follow = (holder) => {
  const events = new EventSource(holder.dataset.live);
  events.addEventListener("figures", (event) => {
    const told = JSON.parse(event.data);
    document.querySelectorAll("[data-figure]").forEach((cell) => {
      if (told.shown[cell.dataset.figure] !== undefined) cell.textContent = told.shown[cell.dataset.figure];
    });
    if (holder.dataset.state && told.state !== holder.dataset.state) {
      holder.dataset.state = told.state;
      document.dispatchEvent(new CustomEvent("moved"));
    }
  });
  addEventListener("pagehide", () => events.close());
};

document.addEventListener("DOMContentLoaded", () => {
  drawAll();
  document.querySelectorAll("[data-live]").forEach(follow);
  document.querySelector("[aria-invalid=true]")?.focus();
});
document.addEventListener("htmx:after:swap", drawAll);
