import { render } from 'preact';
import { App } from './app.tsx';
import { language, setLanguage } from './i18n/index.ts';
import { start } from './bus/session.ts';
import './style/base.css';
import './style/parts.css';
import './style/views.css';
import './style/list.css';
import './parts/grid.tsx'; // what nearly every view needs comes with the first load

const place = document.getElementById('app');
void start();
void setLanguage(language.value).then(() => { if (!place) return;
  place.textContent = ''; // the name that stands there while this loads
  render(<App />, place);
});
