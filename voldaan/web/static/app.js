// What the pages do beyond plain forms: stay fresh, change their colours at once, and show a chart's figures under the pointer.
"use strict";

// ── fresh ── fetches the changing part again and replaces the sections that differ; what is open stays open.

function stayFresh(main) {
  let tag = "";
  let pause = Number(main.dataset.every) * 1000;
  const usual = pause;

  async function look() {
    if (document.hidden) return;
    const answer = await fetch(main.dataset.refresh, { headers: tag ? { "If-None-Match": tag } : {}, cache: "no-store" });
    if (answer.status === 401) return location.reload();
    if (answer.status !== 200) return;
    tag = answer.headers.get("ETag") || "";
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const ids = [...fresh.querySelectorAll("[data-live]")].map((part) => part.id).join();
    const shown = [...main.querySelectorAll("[data-live]")].map((part) => part.id).join();
    if (ids !== shown) return anew(fresh.body.childNodes);
    for (const part of fresh.querySelectorAll("[data-live]")) replace(document.getElementById(part.id), part);
  }

  function anew(parts) {
    main.replaceChildren(...parts);
    know();
    listen(main);
  }

  function replace(old, part) {
    if (source.get(old.id) === part.outerHTML || old.contains(document.activeElement)) return;
    source.set(old.id, part.outerHTML);
    for (const details of old.querySelectorAll("details[open]")) part.querySelector(`#${details.id}`)?.setAttribute("open", "");
    old.replaceWith(part);
    listen(part);
  }

  const source = new Map();
  const know = () => main.querySelectorAll("[data-live]").forEach((part) => source.set(part.id, part.outerHTML));
  know();

  async function again() {
    try {
      await look();
      pause = usual;
    } catch {
      pause = Math.min(pause * 2, 60000);
    }
    setTimeout(again, pause);
  }
  setTimeout(again, pause);
  document.addEventListener("visibilitychange", () => document.hidden || look().catch(() => {}));
}

// ── light and dark ── the form works by itself; with this it needs no new page.

for (const button of document.querySelectorAll(".theme button")) {
  button.addEventListener("click", (event) => {
    event.preventDefault();
    document.documentElement.dataset.theme = button.value;
    const form = new URLSearchParams(new FormData(button.form));
    form.set("theme", button.value);
    fetch(button.form.action, { method: "POST", body: form, redirect: "manual" });
    document.querySelector(button.value === "dark" ? ".to-light" : ".to-dark").focus();
  });
}

// ── figures under the pointer ── read from the table that stands behind every chart.

function listen(part) {
  for (const chart of part.querySelectorAll("[data-chart]")) {
    chart.addEventListener("pointermove", (event) => {
      const column = event.target.closest(".column");
      column ? show(chart, column) : hide(chart);
    });
    chart.addEventListener("pointerleave", () => hide(chart));
  }
}

function show(chart, column) {
  const table = chart.closest(".card").querySelector(`[data-figures="${chart.dataset.chart}"]`);
  const row = table?.tBodies[0].rows[column.dataset.row];
  if (!row || column.classList.contains("lit")) return;
  hide(chart);
  column.classList.add("lit");
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.append(Object.assign(document.createElement("b"), { textContent: row.cells[0].textContent }));
  [...row.cells].slice(1).forEach((cell, place) => {
    const line = document.createElement("div");
    for (const text of [table.tHead.rows[0].cells[place + 1].textContent, cell.textContent])
      line.append(Object.assign(document.createElement("span"), { textContent: text }));
    tip.append(line);
  });
  chart.append(tip);
  const box = chart.getBoundingClientRect();
  const at = column.getBoundingClientRect();
  const right = at.right - box.left + 8;
  tip.style.left = `${right + tip.offsetWidth < box.width ? right : Math.max(0, at.left - box.left - tip.offsetWidth - 8)}px`;
}

function hide(chart) {
  chart.querySelector(".tip")?.remove();
  chart.querySelector(".lit")?.classList.remove("lit");
}

const main = document.querySelector("main[data-refresh]");
if (main) stayFresh(main);
listen(document);
