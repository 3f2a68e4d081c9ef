/** A select element with a label for screen readers. */

/** `id`: of the label, for an answer that replaces it. */
type SelectProps = {
  name: string;
  label: string;
  now: string;
  options: Record<string, string>;
  id?: string;
};

export function Select({ name, label, now, options, id }: SelectProps) {
  return (
    <label id={id} class="select">
      <span class="hidden">{label}</span>
      <select name={name}>
        {Object.entries(options).map(([value, shown]) => (
          <option value={value} selected={value === now}>
            {shown}
          </option>
        ))}
      </select>
    </label>
  );
}
