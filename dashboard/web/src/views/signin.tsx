import { useState } from 'preact/hooks';
import type { VNode } from 'preact';
import { signIn, signInError, signOut, state } from '../bus/session.ts';
import { language, setLanguage, t } from '../i18n/index.ts';
import { setTheme, theme } from '../prefs.ts';
import { Icon } from '../parts/icon.tsx';

const HINT = { credentials: 'sign.err.credentials.hint', offline: 'sign.err.offline.hint' } as const;

function Problem(): VNode | null {
  const kind = signInError.value;
  if (!kind) return null;
  const hint = kind === 'credentials' || kind === 'offline' ? HINT[kind] : null;
  return (
    <div class="problem" role="alert" data-testid="signin-error"><Icon name="alert" />
      <div><p>{t(kind === 'ended' ? 'sign.ended' : `sign.err.${kind}`)}</p>{hint && <p class="dim">{t(hint)}</p>}</div></div>
  );
}

export function SignIn(): VNode {
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [shown, setShown] = useState(false);
  const working = state.value.kind === 'connecting' || state.value.kind === 'waiting';
  const submit = (event: Event): void => {
    event.preventDefault();
    if (name && password) signIn(name, password);
  };
  return (
    <div class="sign">
      <div class="sign-top">
        <button class="ghost wide" lang={language.value === 'en' ? 'zh' : 'en'} title={t('set.language')}
          onClick={() => setLanguage(language.value === 'en' ? 'zh' : 'en')}>{language.value === 'en' ? '中文' : 'EN'}</button>
        <button class="ghost" aria-label={t('set.theme')} onClick={() => setTheme(theme.value === 'dark' ? 'light' : 'dark')}>
          <Icon name={theme.value === 'dark' ? 'sun' : 'moon'} /></button>
      </div>
      <main class="sign-card">
        <img src="./icon.svg" alt="" width="52" height="52" />
        <h1>{t('sign.title')}</h1>
        <p class="dim">{t('sign.sub')}</p>
        <form onSubmit={submit}>
          <label class="field"><span>{t('sign.user')}</span>
            <input name="username" autocomplete="username" autocapitalize="none" spellcheck={false} autofocus required value={name}
              onInput={(event) => setName(event.currentTarget.value)} /></label>
          <label class="field"><span>{t('sign.password')}</span>
            <span class="with-button"><input name="password" type={(shown ? 'text' : 'password') as 'text'} autocomplete="current-password" required value={password}
              onInput={(event) => setPassword(event.currentTarget.value)} />
            <button type="button" class="ghost" aria-label={t(shown ? 'sign.hide' : 'sign.show')} aria-pressed={shown} onClick={() => setShown(!shown)}><Icon name="eye" /></button></span></label>
          <Problem />
          <button class="btn primary big" disabled={working || !name || !password}>{working && <span class="spinner" />}{t(working ? 'sign.busy' : 'sign.go')}</button>
          {working && <button type="button" class="btn big" onClick={signOut}>{t('act.cancel')}</button>}
        </form>
      </main>
    </div>
  );
}
