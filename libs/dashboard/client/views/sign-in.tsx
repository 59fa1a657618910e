import { saveToken } from '../live/api.js';
import { fieldIn } from '../parts/field.js';

/** Asks for the token that the app logged, where the app has no guards of its own. */
export function SignIn({ problem, done }: { problem: string; done: () => void }) {
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    saveToken(fieldIn(event, 'token'));
    done();
  };
  return (
    <main class="sign-in">
      <h1>Mississippi</h1>
      <p>{problem}</p>
      <form onSubmit={submit}>
        <label>
          Token <input name="token" type="password" autoComplete="off" required autoFocus />
        </label>
        <button type="submit" class="primary">
          Open
        </button>
      </form>
      <p class="note">
        The app logged it once when it started: <q>The dashboard has no guards …</q>. It is kept for this tab alone.
      </p>
    </main>
  );
}
