// The search, and the pointer and the keys on the picture. The page is whole without them: each list of names stands in
// it once, and is read from there.
(() => {
  const HITS = 12;
  const byId = (id) => document.getElementById(id);

  /** The lists in the order of the picture; `start`: the place of their first tenant. */
  let lists = null;
  function read() {
    if (lists !== null) return lists;
    let start = 0;
    lists = [...document.querySelectorAll('.names[data-group]')]
      .sort((a, b) => Number(a.dataset.group) - Number(b.dataset.group))
      .map((element) => {
        const names = element.textContent.split('\n');
        // Names that are laid out together.
        const size = element.firstElementChild.textContent.trimEnd().split('\n').length;
        const list = { element, names, size, lower: null, label: element.dataset.label, start };
        start += names.length;
        return list;
      });
    return lists;
  }
  const totalOf = () => read().reduce((sum, { names }) => sum + names.length, 0);

  function tenantAt(place) {
    const list = read().findLast((one) => one.start <= place);
    return list === undefined ? null : { list, at: place - list.start };
  }
  const nameOf = ({ list, at }) => list.names[at];

  let marked = null;
  /** Shows a tenant in its list, and the class that the list is of. */
  function go(tenant) {
    const { list, at } = tenant;
    marked?.replaceChildren(marked.textContent);
    const first = Math.floor(at / list.size) * list.size;
    marked = list.element.children[first / list.size];
    const text = marked.textContent;
    const before = list.names
      .slice(first, at)
      .map((name) => `${name}\n`)
      .join('');
    const mark = document.createElement('mark');
    mark.textContent = list.names[at];
    marked.replaceChildren(before, mark, text.slice(before.length + list.names[at].length));
    for (let box = list.element.closest('details'); box !== null; box = box.parentElement.closest('details'))
      box.open = true;
    const home = list.element.closest('article');
    // As a link would: it is marked as the target, and the browser's Back leads back.
    location.hash = home.id;
    const frame = list.element.closest('.names-frame');
    mark.scrollIntoView({ block: 'center' });
    // A class that fits is shown with its heading.
    const { top, height } = home.getBoundingClientRect();
    if (top < 0 && height < window.innerHeight) window.scrollBy(0, top - 8);
    frame.focus({ preventScroll: true });
    point(list.start + at);
  }

  // The picture, in two forms of which one is shown.
  const drawings = [...document.querySelectorAll('.cells')].map((svg) => ({
    svg,
    columns: Number(svg.dataset.columns),
    cursor: null,
  }));
  const [{ svg: firstDrawing } = { svg: null }] = drawings;
  const slider = firstDrawing?.parentElement ?? null;
  const cellSaid = byId('cell-said');
  let place = 0;

  function point(at) {
    place = at;
    const tenant = tenantAt(at);
    if (slider === null || tenant === null) return;
    for (const drawing of drawings) {
      drawing.cursor ??= newCursor(drawing.svg);
      drawing.cursor.setAttribute('x', String((at % drawing.columns) * 10 - 1));
      drawing.cursor.setAttribute('y', String(Math.floor(at / drawing.columns) * 10 - 1));
    }
    const words = `${nameOf(tenant)}: ${tenant.list.label}`;
    cellSaid.textContent = words;
    slider.setAttribute('aria-valuenow', String(at + 1));
    slider.setAttribute('aria-valuetext', words);
  }

  function newCursor(svg) {
    const cursor = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
    cursor.setAttribute('class', 'cursor');
    cursor.setAttribute('width', '12');
    cursor.setAttribute('height', '12');
    svg.append(cursor);
    return cursor;
  }

  if (slider !== null) {
    const total = Number(firstDrawing.dataset.total);
    const shown = () => drawings.find(({ svg }) => svg.getBoundingClientRect().width > 0) ?? drawings[0];
    const settings = {
      role: 'slider',
      tabindex: '0',
      'aria-label': firstDrawing.getAttribute('aria-label'),
      'aria-orientation': 'horizontal',
      'aria-valuemin': '1',
      'aria-valuemax': String(total),
      'aria-valuenow': '1',
    };
    for (const [name, value] of Object.entries(settings)) slider.setAttribute(name, value);
    const placeOf = (event) => {
      const { svg, columns } = shown();
      const { left, top, width } = svg.getBoundingClientRect();
      const size = width / columns;
      const column = Math.min(columns - 1, Math.max(0, Math.floor((event.clientX - left) / size)));
      const at = Math.floor((event.clientY - top) / size) * columns + column;
      return at >= 0 && at < total ? at : null;
    };
    for (const { svg } of drawings) {
      svg.setAttribute('aria-hidden', 'true');
      svg.addEventListener('pointermove', (event) => {
        const at = placeOf(event);
        if (at !== null && (at !== place || cellSaid.textContent === '')) point(at);
      });
      svg.addEventListener('click', (event) => {
        const at = placeOf(event);
        if (at !== null) go(tenantAt(at));
      });
    }
    slider.addEventListener('focus', () => point(place));
    slider.addEventListener('keydown', (event) => {
      const edges = read().map(({ start }) => start);
      const { columns } = shown();
      const steps = {
        ArrowRight: place + 1,
        ArrowLeft: place - 1,
        ArrowDown: place + columns,
        ArrowUp: place - columns,
        // To the next group, and to the one before.
        PageDown: edges.find((start) => start > place) ?? total - 1,
        PageUp: edges.findLast((start) => start < place) ?? 0,
        Home: 0,
        End: total - 1,
      };
      if (event.key === 'Enter') go(tenantAt(place));
      else if (event.key in steps) point(Math.min(total - 1, Math.max(0, steps[event.key])));
      else return;
      event.preventDefault();
    });
  }

  // The search.
  const input = byId('search');
  const hits = byId('hits');
  const said = byId('search-said');
  let found = [];
  let chosen = -1;

  /** Names that begin with the text, then those that hold it. */
  function find(text) {
    const wanted = text.toLowerCase();
    const [first, then] = [[], []];
    let count = 0;
    for (const list of read()) {
      list.lower ??= list.names.map((name) => name.toLowerCase());
      for (const [at, name] of list.lower.entries()) {
        const where = name.indexOf(wanted);
        if (where < 0) continue;
        count += 1;
        const target = where === 0 || name[where - 1] === '/' ? first : then;
        if (name.length === wanted.length) first.unshift({ list, at });
        else if (target.length < HITS) target.push({ list, at });
      }
    }
    return { tenants: [...first, ...then].slice(0, HITS), count };
  }

  function choose(at) {
    chosen = at;
    for (const [place, item] of [...hits.querySelectorAll('[role=option]')].entries()) {
      item.setAttribute('aria-selected', String(place === at));
      if (place === at) item.scrollIntoView({ block: 'nearest' });
    }
    if (at < 0) input.removeAttribute('aria-activedescendant');
    else input.setAttribute('aria-activedescendant', `hit-${at}`);
  }

  function close() {
    hits.hidden = true;
    input.setAttribute('aria-expanded', 'false');
    choose(-1);
  }

  function open() {
    const text = input.value.trim();
    if (text === '') {
      found = [];
      said.textContent = '';
      return close();
    }
    const { tenants, count } = find(text);
    found = tenants;
    const items = tenants.map((tenant, at) => {
      const item = document.createElement('li');
      item.id = `hit-${at}`;
      item.setAttribute('role', 'option');
      const name = document.createElement('bdi');
      name.textContent = nameOf(tenant);
      const label = document.createElement('span');
      label.textContent = tenant.list.label;
      item.append(name, label);
      item.addEventListener('pointerdown', (event) => {
        event.preventDefault();
        close();
        go(tenant);
      });
      return item;
    });
    const words = count === 0 ? 'No tenant has a name like this.' : `${count} of ${totalOf()} tenants`;
    if (count === 0 || count > tenants.length) {
      const rest = document.createElement('li');
      rest.className = 'rest';
      rest.setAttribute('role', 'option');
      rest.setAttribute('aria-disabled', 'true');
      rest.textContent = count === 0 ? words : `… and ${count - tenants.length} more`;
      items.push(rest);
    }
    hits.replaceChildren(...items);
    said.textContent = words;
    hits.hidden = false;
    input.setAttribute('aria-expanded', 'true');
    choose(tenants.length > 0 ? 0 : -1);
  }

  const form = input.form;
  form.hidden = false;
  form.addEventListener('submit', (event) => event.preventDefault());
  input.addEventListener('input', open);
  input.addEventListener('focus', () => {
    read();
    if (input.value !== '') open();
  });
  input.addEventListener('blur', close);
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') {
      event.preventDefault();
      if (hits.hidden) open();
      const tenant = found[Math.max(0, chosen)];
      if (tenant === undefined) return;
      close();
      go(tenant);
    } else if (event.key === 'Escape') close();
    else if ((event.key === 'ArrowDown' || event.key === 'ArrowUp') && found.length > 0) {
      event.preventDefault();
      if (hits.hidden) return open();
      const step = event.key === 'ArrowDown' ? 1 : -1;
      choose((chosen + step + found.length) % found.length);
    }
  });
  document.addEventListener('keydown', (event) => {
    const typing = event.target.closest?.('input, textarea, select');
    if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || typing) return;
    event.preventDefault();
    input.focus();
  });
})();
