# bash completion for flux. Made by `make completions`; do not edit. [sha256 77b916ef27f8bd15d01d13d284bcf9ebb0d29aaec2f3f5ee60393f1d2a5e5a62]

_flux() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local path=flux word words= IFS=$' \t\n'
    COMPREPLY=()
    # bash splits --option=value into three words
    if [[ $current == "=" ]]; then
        current=
    elif [[ $previous == "=" ]]; then
        previous=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case "$path $word" in
            "flux images" | "flux images generate" | "flux images edit" | "flux videos" | "flux videos generate" | "flux tasks" | "flux tasks check" | "flux tasks watch" | "flux tasks download" | "flux tasks list" | "flux tasks show" | "flux tasks retry" | "flux runs" | "flux runs list" | "flux runs show" | "flux runs rm" | "flux auth" | "flux auth login" | "flux auth status" | "flux auth token" | "flux auth logout" | "flux auth list" | "flux auth switch" | "flux demo" | "flux sandbox" | "flux mcp" | "flux mcp config" | "flux schema" | "flux help") path="$path $word" ;;
        esac
    done
    case "$path:$previous" in
        "flux:--install-completion") _flux_words "bash zsh fish powershell"; return ;;
        "flux:--show-completion") _flux_words "bash zsh fish powershell"; return ;;
        "flux images generate:--file" | "flux images generate:-f") _flux_files -f; return ;;
        "flux images generate:--model" | "flux images generate:-m") return ;;
        "flux images generate:--size" | "flux images generate:-s") return ;;
        "flux images generate:--callback-url") return ;;
        "flux images generate:--count") return ;;
        "flux images generate:--rate") return ;;
        "flux images generate:--max") return ;;
        "flux images generate:--run") return ;;
        "flux images generate:--journal") _flux_files -f; return ;;
        "flux images generate:--output" | "flux images generate:-o") _flux_words "auto table jsonl json csv ids urls reasons"; return ;;
        "flux images generate:--state") _flux_list "pending processing succeeded failed not_found unknown"; return ;;
        "flux images generate:--fields") _flux_list "id state previous_state type action model prompt size created_at started_at finished_at elapsed outputs error cost trace_id observed_at raw"; return ;;
        "flux images generate:--download") _flux_files -d; return ;;
        "flux images generate:--name") return ;;
        "flux images generate:--max-size") return ;;
        "flux images generate:--file-timeout") return ;;
        "flux images generate:--archive") _flux_files -f; return ;;
        "flux images generate:--interval") return ;;
        "flux images generate:--max-interval") return ;;
        "flux images generate:--timeout") return ;;
        "flux images generate:--until") _flux_words "all any"; return ;;
        "flux images generate:--not-found-grace") return ;;
        "flux images generate:--give-up-after") return ;;
        "flux images generate:--exec") return ;;
        "flux images generate:--concurrency") return ;;
        "flux images generate:--batch-size") return ;;
        "flux images generate:--request-timeout") return ;;
        "flux images generate:--retries") return ;;
        "flux images generate:--profile") return ;;
        "flux images generate:--base-url") return ;;
        "flux images edit:--file" | "flux images edit:-f") _flux_files -f; return ;;
        "flux images edit:--model" | "flux images edit:-m") return ;;
        "flux images edit:--size" | "flux images edit:-s") return ;;
        "flux images edit:--callback-url") return ;;
        "flux images edit:--image-url") return ;;
        "flux images edit:--rate") return ;;
        "flux images edit:--max") return ;;
        "flux images edit:--run") return ;;
        "flux images edit:--journal") _flux_files -f; return ;;
        "flux images edit:--output" | "flux images edit:-o") _flux_words "auto table jsonl json csv ids urls reasons"; return ;;
        "flux images edit:--state") _flux_list "pending processing succeeded failed not_found unknown"; return ;;
        "flux images edit:--fields") _flux_list "id state previous_state type action model prompt size created_at started_at finished_at elapsed outputs error cost trace_id observed_at raw"; return ;;
        "flux images edit:--download") _flux_files -d; return ;;
        "flux images edit:--name") return ;;
        "flux images edit:--max-size") return ;;
        "flux images edit:--file-timeout") return ;;
        "flux images edit:--archive") _flux_files -f; return ;;
        "flux images edit:--interval") return ;;
        "flux images edit:--max-interval") return ;;
        "flux images edit:--timeout") return ;;
        "flux images edit:--until") _flux_words "all any"; return ;;
        "flux images edit:--not-found-grace") return ;;
        "flux images edit:--give-up-after") return ;;
        "flux images edit:--exec") return ;;
        "flux images edit:--concurrency") return ;;
        "flux images edit:--batch-size") return ;;
        "flux images edit:--request-timeout") return ;;
        "flux images edit:--retries") return ;;
        "flux images edit:--profile") return ;;
        "flux images edit:--base-url") return ;;
        "flux videos generate:--file" | "flux videos generate:-f") _flux_files -f; return ;;
        "flux videos generate:--mode") return ;;
        "flux videos generate:--duration") return ;;
        "flux videos generate:--resolution") return ;;
        "flux videos generate:--aspect-ratio") return ;;
        "flux videos generate:--keyframes") return ;;
        "flux videos generate:--start-video") return ;;
        "flux videos generate:--draft-task-id") return ;;
        "flux videos generate:--safety-tolerance") return ;;
        "flux videos generate:--model" | "flux videos generate:-m") return ;;
        "flux videos generate:--callback-url") return ;;
        "flux videos generate:--rate") return ;;
        "flux videos generate:--max") return ;;
        "flux videos generate:--run") return ;;
        "flux videos generate:--journal") _flux_files -f; return ;;
        "flux videos generate:--output" | "flux videos generate:-o") _flux_words "auto table jsonl json csv ids urls reasons"; return ;;
        "flux videos generate:--state") _flux_list "pending processing succeeded failed not_found unknown"; return ;;
        "flux videos generate:--fields") _flux_list "id state previous_state type action model prompt size created_at started_at finished_at elapsed outputs error cost trace_id observed_at raw"; return ;;
        "flux videos generate:--download") _flux_files -d; return ;;
        "flux videos generate:--name") return ;;
        "flux videos generate:--max-size") return ;;
        "flux videos generate:--file-timeout") return ;;
        "flux videos generate:--archive") _flux_files -f; return ;;
        "flux videos generate:--interval") return ;;
        "flux videos generate:--max-interval") return ;;
        "flux videos generate:--timeout") return ;;
        "flux videos generate:--until") _flux_words "all any"; return ;;
        "flux videos generate:--not-found-grace") return ;;
        "flux videos generate:--give-up-after") return ;;
        "flux videos generate:--exec") return ;;
        "flux videos generate:--concurrency") return ;;
        "flux videos generate:--batch-size") return ;;
        "flux videos generate:--request-timeout") return ;;
        "flux videos generate:--retries") return ;;
        "flux videos generate:--profile") return ;;
        "flux videos generate:--base-url") return ;;
        "flux tasks check:--file" | "flux tasks check:-f") _flux_files -f; return ;;
        "flux tasks check:--since") return ;;
        "flux tasks check:--run") return ;;
        "flux tasks check:--journal") _flux_files -f; return ;;
        "flux tasks check:--output" | "flux tasks check:-o") _flux_words "auto table jsonl json csv ids urls reasons"; return ;;
        "flux tasks check:--state") _flux_list "pending processing succeeded failed not_found unknown"; return ;;
        "flux tasks check:--fields") _flux_list "id state previous_state type action model prompt size created_at started_at finished_at elapsed outputs error cost trace_id observed_at raw"; return ;;
        "flux tasks check:--concurrency") return ;;
        "flux tasks check:--batch-size") return ;;
        "flux tasks check:--request-timeout") return ;;
        "flux tasks check:--retries") return ;;
        "flux tasks check:--profile") return ;;
        "flux tasks check:--base-url") return ;;
        "flux tasks watch:--file" | "flux tasks watch:-f") _flux_files -f; return ;;
        "flux tasks watch:--since") return ;;
        "flux tasks watch:--run") return ;;
        "flux tasks watch:--journal") _flux_files -f; return ;;
        "flux tasks watch:--output" | "flux tasks watch:-o") _flux_words "auto table jsonl json csv ids urls reasons"; return ;;
        "flux tasks watch:--state") _flux_list "pending processing succeeded failed not_found unknown"; return ;;
        "flux tasks watch:--fields") _flux_list "id state previous_state type action model prompt size created_at started_at finished_at elapsed outputs error cost trace_id observed_at raw"; return ;;
        "flux tasks watch:--interval") return ;;
        "flux tasks watch:--max-interval") return ;;
        "flux tasks watch:--timeout") return ;;
        "flux tasks watch:--until") _flux_words "all any"; return ;;
        "flux tasks watch:--not-found-grace") return ;;
        "flux tasks watch:--give-up-after") return ;;
        "flux tasks watch:--exec") return ;;
        "flux tasks watch:--download") _flux_files -d; return ;;
        "flux tasks watch:--name") return ;;
        "flux tasks watch:--max-size") return ;;
        "flux tasks watch:--file-timeout") return ;;
        "flux tasks watch:--archive") _flux_files -f; return ;;
        "flux tasks watch:--concurrency") return ;;
        "flux tasks watch:--batch-size") return ;;
        "flux tasks watch:--request-timeout") return ;;
        "flux tasks watch:--retries") return ;;
        "flux tasks watch:--profile") return ;;
        "flux tasks watch:--base-url") return ;;
        "flux tasks download:--file" | "flux tasks download:-f") _flux_files -f; return ;;
        "flux tasks download:--since") return ;;
        "flux tasks download:--run") return ;;
        "flux tasks download:--journal") _flux_files -f; return ;;
        "flux tasks download:--dir" | "flux tasks download:-d") _flux_files -d; return ;;
        "flux tasks download:--name") return ;;
        "flux tasks download:--max-size") return ;;
        "flux tasks download:--file-timeout") return ;;
        "flux tasks download:--archive") _flux_files -f; return ;;
        "flux tasks download:--output" | "flux tasks download:-o") _flux_words "auto table jsonl json csv ids urls reasons"; return ;;
        "flux tasks download:--state") _flux_list "pending processing succeeded failed not_found unknown"; return ;;
        "flux tasks download:--fields") _flux_list "id state previous_state type action model prompt size created_at started_at finished_at elapsed outputs error cost trace_id observed_at raw"; return ;;
        "flux tasks download:--concurrency") return ;;
        "flux tasks download:--batch-size") return ;;
        "flux tasks download:--request-timeout") return ;;
        "flux tasks download:--retries") return ;;
        "flux tasks download:--profile") return ;;
        "flux tasks download:--base-url") return ;;
        "flux tasks list:--since") return ;;
        "flux tasks list:--until") return ;;
        "flux tasks list:--limit") return ;;
        "flux tasks list:--type") _flux_words "images videos"; return ;;
        "flux tasks list:--journal") _flux_files -f; return ;;
        "flux tasks list:--output" | "flux tasks list:-o") _flux_words "auto table jsonl json csv ids urls reasons"; return ;;
        "flux tasks list:--state") _flux_list "pending processing succeeded failed not_found unknown"; return ;;
        "flux tasks list:--fields") _flux_list "id state previous_state type action model prompt size created_at started_at finished_at elapsed outputs error cost trace_id observed_at raw"; return ;;
        "flux tasks list:--request-timeout") return ;;
        "flux tasks list:--retries") return ;;
        "flux tasks list:--profile") return ;;
        "flux tasks list:--base-url") return ;;
        "flux tasks show:--file" | "flux tasks show:-f") _flux_files -f; return ;;
        "flux tasks show:--since") return ;;
        "flux tasks show:--run") return ;;
        "flux tasks show:--journal") _flux_files -f; return ;;
        "flux tasks show:--output" | "flux tasks show:-o") _flux_words "auto card jsonl json"; return ;;
        "flux tasks show:--preview") _flux_words "auto kitty iterm sixel blocks off"; return ;;
        "flux tasks show:--concurrency") return ;;
        "flux tasks show:--batch-size") return ;;
        "flux tasks show:--request-timeout") return ;;
        "flux tasks show:--retries") return ;;
        "flux tasks show:--profile") return ;;
        "flux tasks show:--base-url") return ;;
        "flux tasks retry:--file" | "flux tasks retry:-f") _flux_files -f; return ;;
        "flux tasks retry:--since") return ;;
        "flux tasks retry:--run") return ;;
        "flux tasks retry:--journal") _flux_files -f; return ;;
        "flux tasks retry:--rate") return ;;
        "flux tasks retry:--max") return ;;
        "flux tasks retry:--output" | "flux tasks retry:-o") _flux_words "auto table jsonl json csv ids urls reasons"; return ;;
        "flux tasks retry:--state") _flux_list "pending processing succeeded failed not_found unknown"; return ;;
        "flux tasks retry:--fields") _flux_list "id state previous_state type action model prompt size created_at started_at finished_at elapsed outputs error cost trace_id observed_at raw"; return ;;
        "flux tasks retry:--download") _flux_files -d; return ;;
        "flux tasks retry:--name") return ;;
        "flux tasks retry:--max-size") return ;;
        "flux tasks retry:--file-timeout") return ;;
        "flux tasks retry:--archive") _flux_files -f; return ;;
        "flux tasks retry:--interval") return ;;
        "flux tasks retry:--max-interval") return ;;
        "flux tasks retry:--timeout") return ;;
        "flux tasks retry:--until") _flux_words "all any"; return ;;
        "flux tasks retry:--not-found-grace") return ;;
        "flux tasks retry:--give-up-after") return ;;
        "flux tasks retry:--exec") return ;;
        "flux tasks retry:--concurrency") return ;;
        "flux tasks retry:--batch-size") return ;;
        "flux tasks retry:--request-timeout") return ;;
        "flux tasks retry:--retries") return ;;
        "flux tasks retry:--profile") return ;;
        "flux tasks retry:--base-url") return ;;
        "flux runs list:--output" | "flux runs list:-o") _flux_words "auto table jsonl json"; return ;;
        "flux runs list:--journal") _flux_files -f; return ;;
        "flux runs show:--output" | "flux runs show:-o") _flux_words "auto table jsonl json csv ids urls reasons"; return ;;
        "flux runs show:--state") _flux_list "pending processing succeeded failed not_found unknown"; return ;;
        "flux runs show:--fields") _flux_list "id state previous_state type action model prompt size created_at started_at finished_at elapsed outputs error cost trace_id observed_at raw"; return ;;
        "flux runs show:--journal") _flux_files -f; return ;;
        "flux runs rm:--journal") _flux_files -f; return ;;
        "flux auth login:--profile") return ;;
        "flux auth login:--base-url") return ;;
        "flux auth login:--request-timeout") return ;;
        "flux auth status:--profile") return ;;
        "flux auth status:--base-url") return ;;
        "flux auth token:--curl") return ;;
        "flux auth token:--profile") return ;;
        "flux auth token:--base-url") return ;;
        "flux auth logout:--profile") return ;;
        "flux auth logout:--base-url") return ;;
        "flux auth list:--output" | "flux auth list:-o") _flux_words "auto table jsonl json"; return ;;
        "flux sandbox:--port") return ;;
        "flux sandbox:--failure-rate") return ;;
        "flux sandbox:--speed") return ;;
        "flux sandbox:--history") return ;;
        "flux sandbox:--balance") return ;;
        "flux sandbox:--seed") return ;;
        "flux sandbox:--latency") return ;;
        "flux sandbox:--error-rate") return ;;
        "flux sandbox:--lose-replies") return ;;
        "flux sandbox:--rate-limit") return ;;
        "flux sandbox:--page-limit") return ;;
        "flux sandbox:--misbehave") _flux_words "ignore-ids no-items mixed-pages any-order oldest-first repeat ignore-bounds exclusive-bounds ignore-type ignore-paging no-history late-history placeholder records-2025 odd-records undated trimmed-requests odd-replies odd-errors open-queries disabled"; return ;;
        "flux mcp:--host") return ;;
        "flux mcp:--port") return ;;
        "flux mcp:--max-tasks") return ;;
        "flux mcp:--journal") _flux_files -f; return ;;
        "flux mcp:--download-dir") _flux_files -d; return ;;
        "flux mcp:--request-timeout") return ;;
        "flux mcp:--profile") return ;;
        "flux mcp:--base-url") return ;;
        "flux mcp config:--max-tasks") return ;;
        "flux mcp config:--journal") _flux_files -f; return ;;
        "flux mcp config:--download-dir") _flux_files -d; return ;;
        "flux mcp config:--profile") return ;;
    esac
    if [[ $current == -* ]]; then
        case "$path" in
            "flux") words="--version --install-completion --show-completion --help -h" ;;
            "flux images") words="--help -h" ;;
            "flux images generate") words="--file -f --model -m --size -s --callback-url --count --rate --retry-refused --resend-unconfirmed --dry-run --max --yes -y --run --journal --again --output -o --state --raw --fields --quiet -q --preview --watch --download --name --overwrite --max-size --file-timeout --archive --sidecar --contact-sheet --interval --max-interval --timeout --until --fail-fast --not-found-grace --give-up-after --exec --notify --bell --concurrency --batch-size --request-timeout --retries --profile --base-url --debug --help -h" ;;
            "flux images edit") words="--file -f --model -m --size -s --callback-url --image-url --rate --retry-refused --resend-unconfirmed --dry-run --max --yes -y --run --journal --again --output -o --state --raw --fields --quiet -q --preview --watch --download --name --overwrite --max-size --file-timeout --archive --sidecar --contact-sheet --interval --max-interval --timeout --until --fail-fast --not-found-grace --give-up-after --exec --notify --bell --concurrency --batch-size --request-timeout --retries --profile --base-url --debug --help -h" ;;
            "flux videos") words="--help -h" ;;
            "flux videos generate") words="--file -f --mode --duration --resolution --aspect-ratio --keyframes --start-video --draft-task-id --draft --no-draft --generate-audio --no-generate-audio --safety-tolerance --model -m --callback-url --rate --retry-refused --resend-unconfirmed --dry-run --max --yes -y --run --journal --again --output -o --state --raw --fields --quiet -q --preview --watch --download --name --overwrite --max-size --file-timeout --archive --sidecar --contact-sheet --interval --max-interval --timeout --until --fail-fast --not-found-grace --give-up-after --exec --notify --bell --concurrency --batch-size --request-timeout --retries --profile --base-url --debug --help -h" ;;
            "flux tasks") words="--help -h" ;;
            "flux tasks check") words="--file -f --find-ids --since --run --journal --output -o --state --raw --fields --quiet -q --exit-status --concurrency --batch-size --request-timeout --retries --profile --base-url --debug --help -h" ;;
            "flux tasks watch") words="--file -f --find-ids --since --run --journal --output -o --state --raw --fields --quiet -q --preview --interval --max-interval --timeout --until --fail-fast --not-found-grace --give-up-after --exec --notify --bell --download --name --overwrite --max-size --file-timeout --archive --sidecar --contact-sheet --concurrency --batch-size --request-timeout --retries --profile --base-url --debug --help -h" ;;
            "flux tasks download") words="--file -f --find-ids --since --run --journal --dir -d --name --overwrite --max-size --file-timeout --archive --sidecar --contact-sheet --output -o --state --raw --fields --quiet -q --exit-status --concurrency --batch-size --request-timeout --retries --profile --base-url --debug --help -h" ;;
            "flux tasks list") words="--since --until --limit --all --type --local --journal --output -o --state --raw --fields --quiet -q --request-timeout --retries --profile --base-url --debug --help -h" ;;
            "flux tasks show") words="--file -f --find-ids --since --run --journal --output -o --raw --preview --open --quiet -q --exit-status --concurrency --batch-size --request-timeout --retries --profile --base-url --debug --help -h" ;;
            "flux tasks retry") words="--file -f --find-ids --since --run --journal --rate --retry-refused --resend-unconfirmed --dry-run --max --yes -y --all --output -o --state --raw --fields --quiet -q --preview --watch --download --name --overwrite --max-size --file-timeout --archive --sidecar --contact-sheet --interval --max-interval --timeout --until --fail-fast --not-found-grace --give-up-after --exec --notify --bell --concurrency --batch-size --request-timeout --retries --profile --base-url --debug --help -h" ;;
            "flux runs") words="--help -h" ;;
            "flux runs list") words="--output -o --journal --help -h" ;;
            "flux runs show") words="--output -o --state --raw --fields --quiet -q --journal --help -h" ;;
            "flux runs rm") words="--yes -y --journal --help -h" ;;
            "flux auth") words="--help -h" ;;
            "flux auth login") words="--with-token --verify --no-verify --profile --base-url --request-timeout --debug --help -h" ;;
            "flux auth status") words="--profile --base-url --help -h" ;;
            "flux auth token") words="--curl --profile --base-url --help -h" ;;
            "flux auth logout") words="--profile --base-url --help -h" ;;
            "flux auth list") words="--output -o --help -h" ;;
            "flux auth switch") words="--help -h" ;;
            "flux demo") words="--preview --help -h" ;;
            "flux sandbox") words="--port --failure-rate --speed --history --balance --seed --latency --error-rate --lose-replies --rate-limit --page-limit --ignore-ids --placeholder --misbehave --help -h" ;;
            "flux mcp") words="--http --host --port --allow-submit --max-tasks --journal --download-dir --request-timeout --profile --base-url --debug --help -h" ;;
            "flux mcp config") words="--allow-submit --max-tasks --journal --download-dir --portable --profile --help -h" ;;
            "flux schema") words="--help -h" ;;
            "flux help") words="--help -h" ;;
        esac
    else
        case "$path" in
            "flux") words="images videos tasks runs auth demo sandbox mcp schema help" ;;
            "flux images") words="generate edit" ;;
            "flux videos") words="generate" ;;
            "flux tasks") words="check watch download list show retry" ;;
            "flux runs") words="list show rm" ;;
            "flux auth") words="login status token logout list switch" ;;
            "flux mcp") words="config" ;;
        esac
    fi
    _flux_offer -W "$words" -- "$current"
}

# Offer what compgen prints, a line each, as it stands: no word is split, and none is a pattern
_flux_offer() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        [[ -n $line ]] && COMPREPLY+=("$line")
    done <<< "$(compgen "$@")"
}

_flux_words() {
    _flux_offer -W "$1" -- "$current"
}

_flux_list() {
    local done=
    [[ $current == *,* ]] && done=${current%,*},
    _flux_offer -P "$done" -W "$1" -- "${current##*,}"
    compopt -o nospace 2>/dev/null
}

_flux_files() {
    local found=() name
    _flux_offer "$1" -- "$current"
    # a name with a line break comes in pieces, which are no names
    for name in "${COMPREPLY[@]}"; do
        if [[ -e $name || -L $name || $name == [~]* ]]; then found+=("$name"); fi
    done
    COMPREPLY=("${found[@]}")
    compopt -o filenames 2>/dev/null
}

complete -F _flux flux flux-tasks
