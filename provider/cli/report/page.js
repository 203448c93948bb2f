// The behaviour of the page: a filter, its keys, and open details in print. Without it, the page shows everything.
// @ts-check
(() => {
  const form = /** @type {HTMLFormElement} */ (document.getElementById("filter"));
  const query = /** @type {HTMLInputElement} */ (document.getElementById("query"));
  const change = /** @type {HTMLSelectElement} */ (document.getElementById("change"));
  const shown = /** @type {HTMLOutputElement} */ (document.getElementById("shown"));
  const tables = [...document.querySelectorAll("table.matrix")].map((table) => {
    const [heading, ...rows] = /** @type {HTMLTableElement} */ (table).rows;
    const columns = [...heading.cells].slice(1);
    return {
      section: /** @type {HTMLElement} */ (table.closest("section")),
      columns,
      names: columns.map((cell) => (cell.textContent ?? "").toLowerCase()),
      rows: rows.map((row) => ({ row, text: (row.cells[0].textContent ?? "").toLowerCase(), cells: [...row.cells].slice(1) })),
    };
  });

  function apply() {
    const wanted = query.value.trim().toLowerCase();
    const kind = change.value;
    let [count, total] = [0, 0];
    const byAmi = wanted !== "" && tables.some(({ names }) => names.some((name) => name.includes(wanted)));
    for (const { section, columns, names, rows } of tables) {
      const open = names.map((name) => !byAmi || name.includes(wanted));
      columns.forEach((cell, i) => {
        cell.hidden = !open[i];
      });
      let some = 0;
      for (const { row, text, cells } of rows) {
        total += 1;
        const inColumns = cells.some(
          (cell, i) => open[i] && cell.className !== "" && (kind === "" || cell.classList.contains(kind)),
        );
        const visible = inColumns && (byAmi || text.includes(wanted));
        row.hidden = !visible;
        if (!visible) continue;
        some += 1;
        cells.forEach((cell, i) => {
          cell.hidden = !open[i];
        });
      }
      count += some;
      section.hidden = some === 0;
    }
    shown.textContent = count === total ? `${total} rows` : `${count} of ${total} rows`;
  }

  function clear() {
    form.reset();
    apply();
    query.focus();
  }

  form.hidden = tables.length === 0;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", apply);
  form.addEventListener("reset", () => setTimeout(apply));
  document.addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const writes = target.matches("input, select, textarea");
    if (event.key === "/" && !writes && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      query.focus();
      query.select();
    } else if (event.key === "Escape" && form.contains(target)) clear();
  });
  /** @type {HTMLDetailsElement[]} */
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details")].filter((one) => !one.open);
    for (const one of opened) one.open = true;
  });
  addEventListener("afterprint", () => {
    for (const one of opened) one.open = false;
  });
  apply();
})();
