// Before the first paint, so that no light page flashes in the dark. A file, not inline: see the CSP.
(() => {
  const get = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
  const dark = get('flotilla.theme') || (matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark');
  document.documentElement.dataset.theme = dark;
  document.documentElement.dataset.updown = get('flotilla.updown') || 'green';
})();
