import { render } from 'preact';
import { useCallback, useEffect, useLayoutEffect, useState } from 'preact/hooks';
import type { Hello } from '../src/wire.js';
import './app.css';
import { Api, ApiError, takeToken } from './live/api.js';
import { Dashboard } from './dashboard.js';
import { SignIn } from './views/sign-in.js';

const api = new Api();

function App() {
  const [hello, setHello] = useState<Hello>();
  const [refusal, setRefusal] = useState<ApiError>();
  const begin = useCallback(() => {
    setRefusal(undefined);
    api.hello().then(setHello, (error: unknown) => {
      setRefusal(error instanceof ApiError ? error : new ApiError('away', 'The app does not answer.'));
    });
  }, []);
  useEffect(begin, []);
  useLayoutEffect(() => {
    // In a tab that has the page already, the address with the token loads nothing anew.
    const turn = (): void => void (takeToken() && begin());
    addEventListener('hashchange', turn);
    return () => removeEventListener('hashchange', turn);
  }, []);
  if (hello !== undefined) return <Dashboard api={api} hello={hello} />;
  if (refusal?.code === 'token_required') return <SignIn problem={refusal.message} done={begin} />;
  return (
    <main class="sign-in">
      <h1>Mississippi</h1>
      {refusal === undefined ? (
        <p role="status">Looking …</p>
      ) : (
        <>
          <p class="problem">{refusal.message}</p>
          <button type="button" onClick={begin}>
            Try again
          </button>
        </>
      )}
    </main>
  );
}

takeToken();
render(<App />, document.getElementById('app')!);
