/** What to type where the library's error speaks of its own methods, by the error's code. */
const ADVICE: Readonly<Record<string, string>> = {
  key_not_parked: 'Here: mississippi keys show KEY says how it stands, mississippi keys pause KEY parks it.',
  head_not_waiting: 'Here: mississippi keys show KEY says what it does, mississippi keys pause KEY parks it.',
  head_changed: 'Here: mississippi keys show KEY says which message comes first now.',
  dead_letters_busy:
    'It is a mississippi dead-letters command, or an app’s MississippiOperator; the consumer of the queue …dead_letters.reader in the management page says whose.',
  dead_letter_not_found: 'Here: mississippi dead-letters list.',
  operator_timeout: 'Here: mississippi keys show KEY. A busy owner may need longer: --timeout SECONDS.',
  signal_timeout: 'An owner that is busy may need longer: --timeout SECONDS.',
  signal_outcome_unknown: 'Here: mississippi keys show KEY.',
  rabbitmq_unreachable: 'Here the url comes from --url, --url-file, MISSISSIPPI_URL or .mississippirc.json.',
  nobody_answers: 'Meanwhile: mississippi doctor says what the broker sees.',
  no_owner: 'Here: mississippi doctor says why.',
  replay_stopped: 'Here: mississippi doctor says what the broker does not take; then replay again.',
  remote_operator_disabled: 'From here its keys can only be looked at.',
};

/** The text of an error, with what to type. */
export function advised(message: string, code: string | undefined): string {
  const advice = code === undefined ? undefined : ADVICE[code];
  return advice === undefined ? message : `${message}\n${advice}`;
}
