/* The section `alerts` of amtd.yaml. */
#ifndef AMTD_ALERTS_ALERT_SETTINGS_H
#define AMTD_ALERTS_ALERT_SETTINGS_H

struct alert_settings { /* owned texts, NULL: not set */
    char *listen;       /* "10.0.0.5:9971": alerts over HTTP */
    char *url;          /* where devices reach that; NULL: at listen's address. https://: with TLS */
    char *traps;        /* "0.0.0.0:162": traps over UDP */
    char *traps_at;     /* where devices reach that; NULL: at traps' or listen's or url's address */
};

#endif
