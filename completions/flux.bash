# bash completion for flux. Made by `make completions`; do not edit. [sha256 736c656c7af54077a0774625c6b7d86fb20c3a7588bd1205385f821f3b4eb709]

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
            "flux tasks" | "flux tasks check" | "flux tasks watch" | "flux tasks download" | "flux tasks list" | "flux tasks show" | "flux auth" | "flux auth login" | "flux auth status" | "flux auth token" | "flux auth logout" | "flux auth list" | "flux auth switch" | "flux demo" | "flux sandbox" | "flux mcp" | "flux mcp config" | "flux schema" | "flux help") path="$path $word" ;;
        esac
    done
    case "$path:$previous" in
        "flux:--install-completion") _flux_words "bash zsh fish powershell"; return ;;
        "flux:--show-completion") _flux_words "bash zsh fish powershell"; return ;;
        "flux tasks check:--file" | "flux tasks check:-f") _flux_files -f; return ;;
        "flux tasks check:--since") return ;;
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
        "flux tasks watch:--concurrency") return ;;
        "flux tasks watch:--batch-size") return ;;
        "flux tasks watch:--request-timeout") return ;;
        "flux tasks watch:--retries") return ;;
        "flux tasks watch:--profile") return ;;
        "flux tasks watch:--base-url") return ;;
        "flux tasks download:--file" | "flux tasks download:-f") _flux_files -f; return ;;
        "flux tasks download:--since") return ;;
        "flux tasks download:--dir" | "flux tasks download:-d") _flux_files -d; return ;;
        "flux tasks download:--name") return ;;
        "flux tasks download:--max-size") return ;;
        "flux tasks download:--file-timeout") return ;;
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
        "flux tasks list:--output" | "flux tasks list:-o") _flux_words "auto table jsonl json csv ids urls reasons"; return ;;
        "flux tasks list:--state") _flux_list "pending processing succeeded failed not_found unknown"; return ;;
        "flux tasks list:--fields") _flux_list "id state previous_state type action model prompt size created_at started_at finished_at elapsed outputs error cost trace_id observed_at raw"; return ;;
        "flux tasks list:--concurrency") return ;;
        "flux tasks list:--batch-size") return ;;
        "flux tasks list:--request-timeout") return ;;
        "flux tasks list:--retries") return ;;
        "flux tasks list:--profile") return ;;
        "flux tasks list:--base-url") return ;;
        "flux tasks show:--file" | "flux tasks show:-f") _flux_files -f; return ;;
        "flux tasks show:--since") return ;;
        "flux tasks show:--output" | "flux tasks show:-o") _flux_words "auto card jsonl json"; return ;;
        "flux tasks show:--preview") _flux_words "auto kitty iterm sixel blocks off"; return ;;
        "flux tasks show:--concurrency") return ;;
        "flux tasks show:--batch-size") return ;;
        "flux tasks show:--request-timeout") return ;;
        "flux tasks show:--retries") return ;;
        "flux tasks show:--profile") return ;;
        "flux tasks show:--base-url") return ;;
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
        "flux mcp:--download-dir") _flux_files -d; return ;;
        "flux mcp:--request-timeout") return ;;
        "flux mcp:--profile") return ;;
        "flux mcp:--base-url") return ;;
        "flux mcp config:--download-dir") _flux_files -d; return ;;
        "flux mcp config:--profile") return ;;
    esac
    if [[ $current == -* ]]; then
        case "$path" in
            "flux") words="--version --install-completion --show-completion --help -h" ;;
            "flux tasks") words="--help -h" ;;
            "flux tasks check") words="--file -f --find-ids --since --output -o --state --raw --fields --quiet -q --exit-status --concurrency --batch-size --request-timeout --retries --profile --base-url --debug --help -h" ;;
            "flux tasks watch") words="--file -f --find-ids --since --output -o --state --raw --fields --quiet -q --preview --interval --max-interval --timeout --until --fail-fast --not-found-grace --give-up-after --exec --notify --bell --download --name --overwrite --max-size --file-timeout --sidecar --contact-sheet --concurrency --batch-size --request-timeout --retries --profile --base-url --debug --help -h" ;;
            "flux tasks download") words="--file -f --find-ids --since --dir -d --name --overwrite --max-size --file-timeout --sidecar --contact-sheet --output -o --state --raw --fields --quiet -q --exit-status --concurrency --batch-size --request-timeout --retries --profile --base-url --debug --help -h" ;;
            "flux tasks list") words="--since --until --limit --all --type --output -o --state --raw --fields --quiet -q --concurrency --batch-size --request-timeout --retries --profile --base-url --debug --help -h" ;;
            "flux tasks show") words="--file -f --find-ids --since --output -o --raw --preview --open --quiet -q --exit-status --concurrency --batch-size --request-timeout --retries --profile --base-url --debug --help -h" ;;
            "flux auth") words="--help -h" ;;
            "flux auth login") words="--with-token --verify --no-verify --profile --base-url --request-timeout --debug --help -h" ;;
            "flux auth status") words="--profile --base-url --help -h" ;;
            "flux auth token") words="--curl --profile --base-url --help -h" ;;
            "flux auth logout") words="--profile --base-url --help -h" ;;
            "flux auth list") words="--output -o --help -h" ;;
            "flux auth switch") words="--help -h" ;;
            "flux demo") words="--preview --help -h" ;;
            "flux sandbox") words="--port --failure-rate --speed --history --balance --seed --latency --error-rate --lose-replies --rate-limit --page-limit --ignore-ids --placeholder --misbehave --help -h" ;;
            "flux mcp") words="--http --host --port --download-dir --request-timeout --profile --base-url --debug --help -h" ;;
            "flux mcp config") words="--download-dir --portable --profile --help -h" ;;
            "flux schema") words="--help -h" ;;
            "flux help") words="--help -h" ;;
        esac
    else
        case "$path" in
            "flux") words="tasks auth demo sandbox mcp schema help" ;;
            "flux tasks") words="check watch download list show" ;;
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
