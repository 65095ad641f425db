# PowerShell completion for flux. Made by `make completions`; do not edit. [sha256 ef618d172605865be28208cc9529753dafd30e0acb64fb008f34efd6ba8497ad]

Register-ArgumentCompleter -Native -CommandName flux, flux-tasks -ScriptBlock {
    param($current, $line, $cursor)
    $commands = @{
        'flux' = @('images', 'videos', 'tasks', 'auth', 'demo', 'sandbox', 'mcp', 'schema', 'help')
        'flux images' = @('generate', 'edit')
        'flux videos' = @('generate')
        'flux tasks' = @('check', 'watch', 'download', 'list', 'show', 'retry')
        'flux auth' = @('login', 'status', 'token', 'logout', 'list', 'switch')
        'flux mcp' = @('config')
    }
    $options = @{
        'flux' = @('--version', '--install-completion', '--show-completion', '--help', '-h')
        'flux images' = @('--help', '-h')
        'flux images generate' = @('--file', '-f', '--model', '-m', '--size', '-s', '--callback-url', '--count', '--rate', '--retry-refused', '--resend-unconfirmed', '--dry-run', '--max', '--yes', '-y', '--run', '--journal', '--again', '--output', '-o', '--state', '--raw', '--fields', '--quiet', '-q', '--preview', '--watch', '--download', '--name', '--overwrite', '--max-size', '--file-timeout', '--archive', '--sidecar', '--contact-sheet', '--interval', '--max-interval', '--timeout', '--until', '--fail-fast', '--not-found-grace', '--give-up-after', '--exec', '--notify', '--bell', '--concurrency', '--batch-size', '--request-timeout', '--retries', '--profile', '--base-url', '--debug', '--help', '-h')
        'flux images edit' = @('--file', '-f', '--model', '-m', '--size', '-s', '--callback-url', '--image-url', '--rate', '--retry-refused', '--resend-unconfirmed', '--dry-run', '--max', '--yes', '-y', '--run', '--journal', '--again', '--output', '-o', '--state', '--raw', '--fields', '--quiet', '-q', '--preview', '--watch', '--download', '--name', '--overwrite', '--max-size', '--file-timeout', '--archive', '--sidecar', '--contact-sheet', '--interval', '--max-interval', '--timeout', '--until', '--fail-fast', '--not-found-grace', '--give-up-after', '--exec', '--notify', '--bell', '--concurrency', '--batch-size', '--request-timeout', '--retries', '--profile', '--base-url', '--debug', '--help', '-h')
        'flux videos' = @('--help', '-h')
        'flux videos generate' = @('--file', '-f', '--mode', '--duration', '--resolution', '--aspect-ratio', '--keyframes', '--start-video', '--draft-task-id', '--draft', '--no-draft', '--generate-audio', '--no-generate-audio', '--safety-tolerance', '--model', '-m', '--callback-url', '--rate', '--retry-refused', '--resend-unconfirmed', '--dry-run', '--max', '--yes', '-y', '--run', '--journal', '--again', '--output', '-o', '--state', '--raw', '--fields', '--quiet', '-q', '--preview', '--watch', '--download', '--name', '--overwrite', '--max-size', '--file-timeout', '--archive', '--sidecar', '--contact-sheet', '--interval', '--max-interval', '--timeout', '--until', '--fail-fast', '--not-found-grace', '--give-up-after', '--exec', '--notify', '--bell', '--concurrency', '--batch-size', '--request-timeout', '--retries', '--profile', '--base-url', '--debug', '--help', '-h')
        'flux tasks' = @('--help', '-h')
        'flux tasks check' = @('--file', '-f', '--find-ids', '--since', '--run', '--journal', '--output', '-o', '--state', '--raw', '--fields', '--quiet', '-q', '--exit-status', '--concurrency', '--batch-size', '--request-timeout', '--retries', '--profile', '--base-url', '--debug', '--help', '-h')
        'flux tasks watch' = @('--file', '-f', '--find-ids', '--since', '--run', '--journal', '--output', '-o', '--state', '--raw', '--fields', '--quiet', '-q', '--preview', '--interval', '--max-interval', '--timeout', '--until', '--fail-fast', '--not-found-grace', '--give-up-after', '--exec', '--notify', '--bell', '--download', '--name', '--overwrite', '--max-size', '--file-timeout', '--archive', '--sidecar', '--contact-sheet', '--concurrency', '--batch-size', '--request-timeout', '--retries', '--profile', '--base-url', '--debug', '--help', '-h')
        'flux tasks download' = @('--file', '-f', '--find-ids', '--since', '--run', '--journal', '--dir', '-d', '--name', '--overwrite', '--max-size', '--file-timeout', '--archive', '--sidecar', '--contact-sheet', '--output', '-o', '--state', '--raw', '--fields', '--quiet', '-q', '--exit-status', '--concurrency', '--batch-size', '--request-timeout', '--retries', '--profile', '--base-url', '--debug', '--help', '-h')
        'flux tasks list' = @('--since', '--until', '--limit', '--all', '--type', '--output', '-o', '--state', '--raw', '--fields', '--quiet', '-q', '--request-timeout', '--retries', '--profile', '--base-url', '--debug', '--help', '-h')
        'flux tasks show' = @('--file', '-f', '--find-ids', '--since', '--run', '--journal', '--output', '-o', '--raw', '--preview', '--open', '--quiet', '-q', '--exit-status', '--concurrency', '--batch-size', '--request-timeout', '--retries', '--profile', '--base-url', '--debug', '--help', '-h')
        'flux tasks retry' = @('--file', '-f', '--find-ids', '--since', '--run', '--journal', '--rate', '--retry-refused', '--resend-unconfirmed', '--dry-run', '--max', '--yes', '-y', '--all', '--output', '-o', '--state', '--raw', '--fields', '--quiet', '-q', '--preview', '--watch', '--download', '--name', '--overwrite', '--max-size', '--file-timeout', '--archive', '--sidecar', '--contact-sheet', '--interval', '--max-interval', '--timeout', '--until', '--fail-fast', '--not-found-grace', '--give-up-after', '--exec', '--notify', '--bell', '--concurrency', '--batch-size', '--request-timeout', '--retries', '--profile', '--base-url', '--debug', '--help', '-h')
        'flux auth' = @('--help', '-h')
        'flux auth login' = @('--with-token', '--verify', '--no-verify', '--profile', '--base-url', '--request-timeout', '--debug', '--help', '-h')
        'flux auth status' = @('--profile', '--base-url', '--help', '-h')
        'flux auth token' = @('--curl', '--profile', '--base-url', '--help', '-h')
        'flux auth logout' = @('--profile', '--base-url', '--help', '-h')
        'flux auth list' = @('--output', '-o', '--help', '-h')
        'flux auth switch' = @('--help', '-h')
        'flux demo' = @('--preview', '--help', '-h')
        'flux sandbox' = @('--port', '--failure-rate', '--speed', '--history', '--balance', '--seed', '--latency', '--error-rate', '--lose-replies', '--rate-limit', '--page-limit', '--ignore-ids', '--placeholder', '--misbehave', '--help', '-h')
        'flux mcp' = @('--http', '--host', '--port', '--download-dir', '--request-timeout', '--profile', '--base-url', '--debug', '--help', '-h')
        'flux mcp config' = @('--download-dir', '--portable', '--profile', '--help', '-h')
        'flux schema' = @('--help', '-h')
        'flux help' = @('--help', '-h')
    }
    $words = @{
        'flux:--install-completion' = @('bash', 'zsh', 'fish', 'powershell')
        'flux:--show-completion' = @('bash', 'zsh', 'fish', 'powershell')
        'flux images generate:--output' = @('auto', 'table', 'jsonl', 'json', 'csv', 'ids', 'urls', 'reasons')
        'flux images generate:-o' = @('auto', 'table', 'jsonl', 'json', 'csv', 'ids', 'urls', 'reasons')
        'flux images generate:--state' = @('pending', 'processing', 'succeeded', 'failed', 'not_found', 'unknown')
        'flux images generate:--fields' = @('id', 'state', 'previous_state', 'type', 'action', 'model', 'prompt', 'size', 'created_at', 'started_at', 'finished_at', 'elapsed', 'outputs', 'error', 'cost', 'trace_id', 'observed_at', 'raw')
        'flux images generate:--until' = @('all', 'any')
        'flux images edit:--output' = @('auto', 'table', 'jsonl', 'json', 'csv', 'ids', 'urls', 'reasons')
        'flux images edit:-o' = @('auto', 'table', 'jsonl', 'json', 'csv', 'ids', 'urls', 'reasons')
        'flux images edit:--state' = @('pending', 'processing', 'succeeded', 'failed', 'not_found', 'unknown')
        'flux images edit:--fields' = @('id', 'state', 'previous_state', 'type', 'action', 'model', 'prompt', 'size', 'created_at', 'started_at', 'finished_at', 'elapsed', 'outputs', 'error', 'cost', 'trace_id', 'observed_at', 'raw')
        'flux images edit:--until' = @('all', 'any')
        'flux videos generate:--output' = @('auto', 'table', 'jsonl', 'json', 'csv', 'ids', 'urls', 'reasons')
        'flux videos generate:-o' = @('auto', 'table', 'jsonl', 'json', 'csv', 'ids', 'urls', 'reasons')
        'flux videos generate:--state' = @('pending', 'processing', 'succeeded', 'failed', 'not_found', 'unknown')
        'flux videos generate:--fields' = @('id', 'state', 'previous_state', 'type', 'action', 'model', 'prompt', 'size', 'created_at', 'started_at', 'finished_at', 'elapsed', 'outputs', 'error', 'cost', 'trace_id', 'observed_at', 'raw')
        'flux videos generate:--until' = @('all', 'any')
        'flux tasks check:--output' = @('auto', 'table', 'jsonl', 'json', 'csv', 'ids', 'urls', 'reasons')
        'flux tasks check:-o' = @('auto', 'table', 'jsonl', 'json', 'csv', 'ids', 'urls', 'reasons')
        'flux tasks check:--state' = @('pending', 'processing', 'succeeded', 'failed', 'not_found', 'unknown')
        'flux tasks check:--fields' = @('id', 'state', 'previous_state', 'type', 'action', 'model', 'prompt', 'size', 'created_at', 'started_at', 'finished_at', 'elapsed', 'outputs', 'error', 'cost', 'trace_id', 'observed_at', 'raw')
        'flux tasks watch:--output' = @('auto', 'table', 'jsonl', 'json', 'csv', 'ids', 'urls', 'reasons')
        'flux tasks watch:-o' = @('auto', 'table', 'jsonl', 'json', 'csv', 'ids', 'urls', 'reasons')
        'flux tasks watch:--state' = @('pending', 'processing', 'succeeded', 'failed', 'not_found', 'unknown')
        'flux tasks watch:--fields' = @('id', 'state', 'previous_state', 'type', 'action', 'model', 'prompt', 'size', 'created_at', 'started_at', 'finished_at', 'elapsed', 'outputs', 'error', 'cost', 'trace_id', 'observed_at', 'raw')
        'flux tasks watch:--until' = @('all', 'any')
        'flux tasks download:--output' = @('auto', 'table', 'jsonl', 'json', 'csv', 'ids', 'urls', 'reasons')
        'flux tasks download:-o' = @('auto', 'table', 'jsonl', 'json', 'csv', 'ids', 'urls', 'reasons')
        'flux tasks download:--state' = @('pending', 'processing', 'succeeded', 'failed', 'not_found', 'unknown')
        'flux tasks download:--fields' = @('id', 'state', 'previous_state', 'type', 'action', 'model', 'prompt', 'size', 'created_at', 'started_at', 'finished_at', 'elapsed', 'outputs', 'error', 'cost', 'trace_id', 'observed_at', 'raw')
        'flux tasks list:--type' = @('images', 'videos')
        'flux tasks list:--output' = @('auto', 'table', 'jsonl', 'json', 'csv', 'ids', 'urls', 'reasons')
        'flux tasks list:-o' = @('auto', 'table', 'jsonl', 'json', 'csv', 'ids', 'urls', 'reasons')
        'flux tasks list:--state' = @('pending', 'processing', 'succeeded', 'failed', 'not_found', 'unknown')
        'flux tasks list:--fields' = @('id', 'state', 'previous_state', 'type', 'action', 'model', 'prompt', 'size', 'created_at', 'started_at', 'finished_at', 'elapsed', 'outputs', 'error', 'cost', 'trace_id', 'observed_at', 'raw')
        'flux tasks show:--output' = @('auto', 'card', 'jsonl', 'json')
        'flux tasks show:-o' = @('auto', 'card', 'jsonl', 'json')
        'flux tasks show:--preview' = @('auto', 'kitty', 'iterm', 'sixel', 'blocks', 'off')
        'flux tasks retry:--output' = @('auto', 'table', 'jsonl', 'json', 'csv', 'ids', 'urls', 'reasons')
        'flux tasks retry:-o' = @('auto', 'table', 'jsonl', 'json', 'csv', 'ids', 'urls', 'reasons')
        'flux tasks retry:--state' = @('pending', 'processing', 'succeeded', 'failed', 'not_found', 'unknown')
        'flux tasks retry:--fields' = @('id', 'state', 'previous_state', 'type', 'action', 'model', 'prompt', 'size', 'created_at', 'started_at', 'finished_at', 'elapsed', 'outputs', 'error', 'cost', 'trace_id', 'observed_at', 'raw')
        'flux tasks retry:--until' = @('all', 'any')
        'flux auth list:--output' = @('auto', 'table', 'jsonl', 'json')
        'flux auth list:-o' = @('auto', 'table', 'jsonl', 'json')
        'flux sandbox:--misbehave' = @('ignore-ids', 'no-items', 'mixed-pages', 'any-order', 'oldest-first', 'repeat', 'ignore-bounds', 'exclusive-bounds', 'ignore-type', 'ignore-paging', 'no-history', 'late-history', 'placeholder', 'records-2025', 'odd-records', 'undated', 'trimmed-requests', 'odd-replies', 'odd-errors', 'open-queries', 'disabled')
    }
    $files = @('flux images generate:--file', 'flux images generate:-f', 'flux images generate:--journal', 'flux images generate:--archive', 'flux images edit:--file', 'flux images edit:-f', 'flux images edit:--journal', 'flux images edit:--archive', 'flux videos generate:--file', 'flux videos generate:-f', 'flux videos generate:--journal', 'flux videos generate:--archive', 'flux tasks check:--file', 'flux tasks check:-f', 'flux tasks check:--journal', 'flux tasks watch:--file', 'flux tasks watch:-f', 'flux tasks watch:--journal', 'flux tasks watch:--archive', 'flux tasks download:--file', 'flux tasks download:-f', 'flux tasks download:--journal', 'flux tasks download:--archive', 'flux tasks show:--file', 'flux tasks show:-f', 'flux tasks show:--journal', 'flux tasks retry:--file', 'flux tasks retry:-f', 'flux tasks retry:--journal', 'flux tasks retry:--archive')
    $path = 'flux'
    $before = @($line.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursor } |
        ForEach-Object { $_.ToString() })
    foreach ($word in $before | Select-Object -Skip 1) {
        if ($commands[$path] -contains $word) { $path = "$path $word" }
    }
    $previous = "${path}:$($before | Select-Object -Last 1)"
    if ($files -contains $previous) { return }  # PowerShell completes files by itself
    $found = if ($words.ContainsKey($previous)) { $words[$previous] }
        elseif ($current -like '-*') { $options[$path] }
        else { $commands[$path] }
    $found | Where-Object { $_ -like "$current*" } | ForEach-Object {
        [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
    }
}
