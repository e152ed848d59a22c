// All pages work without this. It copies texts, shows local times, and says when something new has come.
'use strict';

for (const button of document.querySelectorAll('[data-copy]')) {
  if (!navigator.clipboard) break;
  button.hidden = false;
  const name = button.textContent;
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
      button.textContent = 'Copied';
    } catch {
      button.textContent = 'Not copied: select the text';
    }
    setTimeout(() => { button.textContent = name; }, 3000);
  });
}

// Local time: beside UTC where there is room, and instead of it in lists if the viewer wants.
const two = (n) => String(n).padStart(2, '0');
const clock = (d) => `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
const isToday = (d) => d.toDateString() === new Date().toDateString();
const local = (d) => (isToday(d) ? '' : d.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' }) + ' ') + clock(d);

for (const span of document.querySelectorAll('[data-local-of]')) {
  span.textContent = ` (${local(new Date(span.dataset.localOf))} your time)`;
}

const toggle = document.querySelector('[data-clock]');
if (toggle) {
  const times = [...document.querySelectorAll('time[data-short]')].map((t) => [t, t.textContent]);
  const show = (isLocal) => {
    for (const [t, utc] of times) t.textContent = isLocal ? local(new Date(t.dateTime)) : utc;
    toggle.setAttribute('aria-pressed', String(isLocal));
    document.querySelector('[data-zone]').textContent = isLocal ? 'Times are local' : 'Times are UTC';
  };
  let isLocal = false;
  try { isLocal = localStorage.getItem('scim-console-clock') === 'local'; } catch { /* no storage */ }
  toggle.hidden = false;
  show(isLocal);
  toggle.addEventListener('click', () => {
    isLocal = !isLocal;
    show(isLocal);
    try { localStorage.setItem('scim-console-clock', isLocal ? 'local' : 'utc'); } catch { /* no storage */ }
  });
}

// A link appears when something new has come. The page never changes under the reader's hands.
for (const note of document.querySelectorAll('[data-live]:not([data-off])')) {
  const every = 5000;
  const ask = async () => {
    if (!document.hidden) {
      try {
        const answer = await fetch(note.dataset.live, { headers: { Accept: 'text/plain' } });
        if (answer.ok && !answer.redirected && answer.headers.get('Content-Type')?.startsWith('text/plain') && (await answer.text()) !== note.dataset.newest) {
          note.hidden = false;
          return;
        }
      } catch { /* the server is away: ask again */ }
    }
    setTimeout(ask, every);
  };
  setTimeout(ask, every);
}

// A set-up link has its secret behind "#". It goes into the form, and out of the address and the history.
for (const form of document.querySelectorAll('[data-door]')) {
  const take = () => {
    if (location.hash.length < 2) return;
    form.elements.code.value = location.hash.slice(1);
    form.querySelector('label').parentElement.hidden = true;
    history.replaceState(null, '', location.pathname);
  };
  take();
  addEventListener('hashchange', take);
}
