/** The login: a name, a password, and where to go then. */
import { html } from "./html.ts";
import { renderDocument } from "./layout.ts";

export interface LoginPage {
  readonly next: string;
  readonly formToken: string;
  /** What was wrong with the last try. */
  readonly wrong: string | undefined;
}

export function renderLogin({ next, formToken, wrong }: LoginPage): string {
  const body = html`<div class="login">
    <h1>Log in</h1>
    ${wrong === undefined ? "" : html`<p class="warn" role="alert">${wrong}</p>`}
    <form class="note" method="post" action="/login">
      <input type="hidden" name="token" value=${formToken} />
      <input type="hidden" name="next" value=${next} />
      <label>Name <input name="name" autocomplete="username" required autofocus maxlength="100" /></label>
      <label>Password <input name="password" type="password" autocomplete="current-password" required maxlength="1000" /></label>
      <button class="button button-acknowledge">Log in</button>
    </form>
  </div>`;
  return renderDocument({ title: "Log in · Culprit", body, page: "login" });
}
