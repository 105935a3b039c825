(.ts * 1000 | round) as $ms
| {
    "@timestamp": (($ms / 1000 | floor | todate | .[:-1]) + "." + ($ms % 1000 + 1000 | tostring | .[1:]) + "Z"),
    event: {action: .Operation, outcome: .ResultStatus, kind: "event", module: "o365"},
    user: {id: .UserId},
    source: {ip: .userIP, port: .userPort},
    host: {name: .hostName},
    user_agent: {original: .UserAgent},
    observer: {vendor: "Microsoft"},
    ecs: {version: "9.5.0"},
    o365: {audit: del(.ts, .Operation, .ResultStatus, .UserId, .userIP, .userPort, .hostName, .UserAgent)}
  }
