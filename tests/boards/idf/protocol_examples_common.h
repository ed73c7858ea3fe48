#include "esp_event.h"
