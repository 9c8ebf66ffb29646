#ifndef STRATA_SYSTEM_H
#define STRATA_SYSTEM_H
#endif
